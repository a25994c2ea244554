import { workerData } from 'node:worker_threads';
import { toBrainError, type ErrorCode } from '../../domain/error.ts';
import { answerRequests } from '../../shared/thread-answers.ts';
import type { ConnectionOptions } from './sqlite-connection.ts';
import { SqliteWriter, type Series, type SeriesOutcome } from './sqlite-writer.ts';

/** What one call of the table is answered: an outcome for each series, or why nothing of them was applied. */
export type WriteAnswer =
  | { readonly outcomes: readonly SeriesOutcome[] }
  | {
      readonly failure: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly operation: string | undefined;
        readonly details: Readonly<Record<string, unknown>>;
      };
    };

// The thread that writes for a `SqliteTable`. Calls that wait while a commit is under way share the next one.
let writer: SqliteWriter | undefined;

answerRequests(
  (requests, reply) => {
    const calls = requests as readonly (readonly Series[])[];
    try {
      writer ??= new SqliteWriter(workerData as ConnectionOptions);
      const outcomes = writer.commit(calls.flat());
      let from = 0;
      calls.forEach((series, at) => {
        const answer: WriteAnswer = { outcomes: outcomes.slice(from, (from += series.length)) };
        reply(at, answer);
      });
    } catch (error) {
      const { code, message, operation, details } = toBrainError(error, 'table.transact');
      const answer: WriteAnswer = { failure: { code, message, operation, details } };
      calls.forEach((_series, at) => reply(at, answer));
    }
  },
  () => writer?.close(),
);
