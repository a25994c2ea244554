import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import * as api from '../../api/v2.ts';
import { BrainError, type Issue } from '../../domain/error.ts';
import type { OwnerId } from '../../domain/values.ts';
import type { ImportEntry, ImportNote } from '../../services/import-note.ts';
import type { ImportOptions } from '../../services/imports.ts';
import { pathOf, problemOf } from '../errors.ts';
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

    app.post('/imports', { schema: { querystring: ImportQuery } }, async (request, reply) => {
      if (!(request.body instanceof Readable)) {
        throw new BrainError('unsupported_media_type', 'send the notes as application/x-ndjson, one a line');
      }
      const { collection, prune = false, dryRun = false } = request.query;
      const stop = new AbortController();
      reply.raw.on('close', () => stop.abort(new BrainError('aborted', 'the caller went away')));
      const options = { collection, prune, dryRun, signal: stop.signal };
      const entries = readEntries(request.body, check);
      reply.header('content-type', 'application/x-ndjson');
      return reply.send(
        Readable.from(answer(owner(), entries, options, pathOf(request)), { objectMode: false }),
      );
    });

    /** The service's events as lines; what ends the import is the last of them, for the status is sent by then. */
    async function* answer(
      of: OwnerId,
      entries: AsyncIterable<ImportEntry>,
      options: ImportOptions,
      path: string,
    ): AsyncGenerator<string> {
      try {
        for await (const event of services.imports.run(of, options, entries))
          yield `${JSON.stringify(event)}\n`;
      } catch (error) {
        app.log.error({ err: error }, 'import failed');
        yield `${JSON.stringify({ type: 'problem', problem: problemOf(error, path) })}\n`;
      }
    }
  };

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
    return { key: `line ${number}`, refused: new BrainError('invalid', 'the line is not JSON', { cause }) };
  }
  const issues = check(value);
  if (issues.length === 0) return value as ImportNote;
  const { key } = (value ?? {}) as { key?: unknown };
  const message = issues.map((issue) => issue.message).join('; ');
  return {
    key: typeof key === 'string' ? key : `line ${number}`,
    refused: new BrainError('invalid', message, { issues }),
  };
}

async function* linesOf(body: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const piece of body) {
    const lines = (rest + decode(decoder, piece as Uint8Array)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LIMIT)
      throw new BrainError('too_large', `a line has at most ${LINE_LIMIT} characters`);
    yield* lines;
  }
  yield rest;
}

function decode(decoder: InstanceType<typeof TextDecoder>, piece: Uint8Array): string {
  try {
    return decoder.decode(piece, { stream: true });
  } catch (cause) {
    throw new BrainError('malformed', 'the body is not UTF-8', { cause, operation: 'http.parse' });
  }
}
