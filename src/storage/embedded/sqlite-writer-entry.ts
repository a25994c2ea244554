import { workerData } from 'node:worker_threads';
import { toBrainError, type ErrorCode } from '../../domain/error.ts';
import { answerRequests } from '../../shared/thread-answers.ts';
import type { ConnectionOptions } from './sqlite-connection.ts';
import { SqliteWriter, type Series, type SeriesOutcome } from './sqlite-writer.ts';

/** Series to be committed, or up to when rows have expired that are to be removed. */
export type WriteRequest = readonly Series[] | { readonly sweepSeconds: number };

/** An outcome for each series, or how many rows were removed. */
export type WriteDone = readonly SeriesOutcome[] | number;

/** What one call of the table is answered: what was done, or why nothing of it was. */
export type WriteAnswer =
  | { readonly done: WriteDone }
  | {
      readonly failure: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly operation: string | undefined;
        readonly details: Readonly<Record<string, unknown>>;
      };
    };

interface Call<Request> {
  readonly request: Request;
  readonly answer: (answer: WriteAnswer) => void;
}

// The thread that writes for a `SqliteTable`. Calls that wait while a commit is under way share the next one.
let writer: SqliteWriter | undefined;

answerRequests(
  (requests, reply) => {
    const calls = (requests as readonly WriteRequest[]).map((request, at) => ({
      request,
      answer: (answer: WriteAnswer) => reply(at, answer),
    }));
    const commits = calls.filter((call): call is Call<readonly Series[]> => Array.isArray(call.request));
    if (commits.length > 0) commit(commits);
    for (const { request, answer } of calls)
      if ('sweepSeconds' in request) answer(attempt(() => open().sweep(request.sweepSeconds)));
    writer?.checkpoint();
  },
  () => writer?.close(),
);

function commit(calls: readonly Call<readonly Series[]>[]): void {
  let from = 0;
  const answer = attempt(() => open().commit(calls.flatMap(({ request }) => request)));
  if ('failure' in answer && answer.failure.code === 'storage_full' && calls.length > 1) {
    for (const call of calls) commit([call]); // what frees something may be among them
    return;
  }
  for (const call of calls) {
    const done = 'done' in answer && (answer.done as readonly SeriesOutcome[]);
    call.answer(done ? { done: done.slice(from, (from += call.request.length)) } : answer);
  }
}

function open(): SqliteWriter {
  writer ??= new SqliteWriter(workerData as ConnectionOptions);
  return writer;
}

/** What is thrown goes over as what it says: an error loses its class on the way. */
function attempt(work: () => WriteDone): WriteAnswer {
  try {
    return { done: work() };
  } catch (error) {
    const { code, message, operation, details } = toBrainError(error, 'table.transact');
    return { failure: { code, message, operation, details } };
  }
}
