import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import * as api from '../../api/v2-imports.ts';
import { BrainError, type Issue } from '../../domain/error.ts';
import type { ImportEntry, ImportNote } from '../../services/import-note.ts';
import type { ImportEvent } from '../../services/imports.ts';
import { refuseKey } from '../idempotency.ts';
import { sendLines } from '../ndjson.ts';
import { signalOf } from '../timeouts.ts';
import { checker } from '../validation.ts';
import type { V2Needs } from './needs.ts';
import { owner } from './request.ts';

const ImportQuery = Type.Object(
  {
    collection: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'what is imported, such as a vault by its name',
    }),
    prune: Type.Optional(
      Type.Boolean({ default: false, description: 'delete what the source no longer has' }),
    ),
    dryRun: Type.Optional(
      Type.Boolean({ default: false, description: 'say what would be done, and do nothing' }),
    ),
  },
  { additionalProperties: false },
);

/** Its answer begins at once and ends when all is stored and linked, while its request is still coming in. */
const HOUR_MS = 3_600_000;
const CONFIG = { audit: 'import', limits: { requestMs: HOUR_MS, handlerMs: HOUR_MS } };

/** A longer line is refused before it is whole in memory. */
const LINE_LIMIT = 4 * 1024 * 1024;

/**
 * Takes notes as lines of NDJSON and answers in lines as they are stored: an `item` for each, once it is durable,
 * then progress of the linking, the notes that the source no longer has, and a `summary`, or a `problem` that ended it.
 */
export const importRoutes =
  ({ services }: V2Needs): Routes =>
  async (app) => {
    const check = checker(api.ImportNote);
    app.addContentTypeParser('application/x-ndjson', (_request, payload, done) => done(null, payload));

    app.post(
      '/imports',
      {
        schema: {
          operationId: 'importNotes',
          summary: 'Import notes',
          description:
            'Takes notes as lines of NDJSON and answers in lines as they are stored: an item for each, once it is durable; then progress of the linking, the notes that the source no longer has, and a summary. What ends the import early is its last line, a problem, for the status is sent by then. Importing again updates.',
          tags: ['imports'],
          querystring: ImportQuery,
          lines: { body: api.ImportNote, answer: api.ImportEvent },
        },
        config: CONFIG,
      },
      async (request, reply) => {
        if (!(request.body instanceof Readable)) {
          throw new BrainError(
            'unsupported_media_type',
            'send the notes as application/x-ndjson, one a line',
          );
        }
        refuseKey(request, 'sending an import again changes nothing');
        const { collection, prune = false, dryRun = false } = request.query;
        const options = { collection, prune, dryRun, signal: signalOf(request) };
        const events = services.imports.run(owner(), options, readEntries(request.body, check));
        return sendLines(request, reply, linesOfEvents(events));
      },
    );
  };

async function* linesOfEvents(events: AsyncIterable<ImportEvent>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`;
}

/** The lines of the body as notes; one that is none becomes a refusal under the number of its line. */
async function* readEntries(
  body: Readable,
  check: (value: unknown) => readonly Issue[],
): AsyncGenerator<ImportEntry> {
  let number = 0;
  for await (const line of linesOf(body)) {
    number += 1;
    if (line.trim() === '') continue;
    yield readEntry(line, number, check);
  }
}

function readEntry(line: string, number: number, check: (value: unknown) => readonly Issue[]): ImportEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    const refused = new BrainError('invalid', 'the line is not JSON', { cause });
    return { key: `line ${number}`, isUnnamed: true, refused };
  }
  const issues = check(value);
  if (issues.length === 0) return value as ImportNote;
  const { key } = (value ?? {}) as { key?: unknown };
  const message = issues.map((issue) => issue.message).join('; ');
  const refused = new BrainError('invalid', message, { issues });
  return typeof key === 'string' ? { key, refused } : { key: `line ${number}`, isUnnamed: true, refused };
}

async function* linesOf(body: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const piece of piecesOf(body)) {
    const lines = (rest + decode(decoder, piece)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LIMIT)
      throw new BrainError('too_large', `a line has at most ${LINE_LIMIT} characters`);
    yield* lines;
  }
  yield rest + decode(decoder, undefined);
}

async function* piecesOf(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of body) yield piece as Uint8Array;
  } catch (cause) {
    throw callerGone(cause);
  }
}

const callerGone = (cause?: unknown): BrainError =>
  new BrainError('aborted', 'the caller went away', { cause, operation: 'http.import' });

/** `undefined` for the end of the body, where a letter may have been cut off. */
function decode(decoder: InstanceType<typeof TextDecoder>, piece: Uint8Array | undefined): string {
  try {
    return decoder.decode(piece, { stream: piece !== undefined });
  } catch (cause) {
    throw new BrainError('malformed', 'the body is not UTF-8', { cause, operation: 'http.parse' });
  }
}
