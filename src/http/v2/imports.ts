import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import type { FastifyRequest, FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import { Type, type TSchema } from 'typebox';
import * as api from '../../api/v2-imports.ts';
import { Job } from '../../api/v2-jobs.ts';
import { BrainError } from '../../domain/error.ts';
import type { ImportEvent } from '../../services/import-events.ts';
import { refuseKey } from '../idempotency.ts';
import { entriesOfLines } from '../import-lines.ts';
import { sendLines } from '../streamed.ts';
import { signalOf } from '../timeouts.ts';
import { strictCompiler } from '../validation.ts';
import { sendAccepted } from './jobs.ts';
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
    categories: Type.Optional(
      Type.Union([Type.Literal('folders'), Type.Literal('frontmatter'), Type.Literal('none')], {
        default: 'folders',
        description: 'of a zip: where the categories of its notes come from',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Its answer begins at once and ends when all is stored and linked, while its request is still coming in. */
const HOUR_MS = 3_600_000;
const CONFIG = { audit: 'import', limits: { requestMs: HOUR_MS, handlerMs: HOUR_MS } };

const JSON_BYTES = 10 * 1024 * 1024;
/** What is sent as a stream is kept on the disk, and not in memory. */
const SPOOLED_BYTES = 1024 * 1024 * 1024;

const STREAMED = { ndjson: 'application/x-ndjson', zip: 'application/zip' } as const;

/**
 * Takes notes in one of two ways. As lines of NDJSON that are answered in lines as they are stored: an `item` for each,
 * once it is durable, then progress of the linking, the notes that the source no longer has, and a `summary`, or a
 * `problem` that ended it. Or as a job, which is answered once what was sent is kept.
 */
export const importRoutes =
  ({ services }: V2Needs): Routes =>
  async (app) => {
    for (const type of Object.values(STREAMED))
      app.addContentTypeParser(type, (_request, payload, done) => done(null, payload));

    app.post(
      '/imports',
      {
        bodyLimit: JSON_BYTES,
        validatorCompiler: ofJsonAlone(),
        schema: {
          operationId: 'importNotes',
          summary: 'Import notes',
          description:
            'Notes as lines of NDJSON are answered in lines as they are stored: an item for each, once it is durable; then progress of the linking, the notes that the source no longer has, and a summary. What ends the import early is its last line, a problem, for the status is sent by then. With `Prefer: respond-async` (RFC 7240), and always for a body of JSON and for a vault of Markdown in a zip, the import becomes a job: what was sent is kept, and the answer is 202. Importing again updates. Lines may also be those of an export.',
          tags: ['imports'],
          fails: ['rate_limited'],
          sends: ['location'],
          querystring: ImportQuery,
          body: api.ImportInput,
          lines: { body: api.ImportLine, answer: api.ImportEvent },
          takesZip: true,
          response: { 202: Job },
        },
        config: CONFIG,
      },
      async (request, reply) => {
        refuseKey(request, 'sending it again changes nothing');
        const { collection, prune = false, dryRun = false, categories = 'folders' } = request.query;
        const options = { collection, prune, dryRun };
        const format = request.headers['content-type']?.startsWith(STREAMED.zip) ? 'zip' : 'ndjson';
        const body: unknown = request.body;
        reply.header('vary', `${String(reply.getHeader('vary'))}, Prefer`);
        if (format === 'ndjson' && body instanceof Readable && !isAsyncPreferred(request)) {
          const signal = signalOf(request);
          const events = services.imports.run(owner(), { ...options, signal }, entriesOfLines(body));
          return sendLines(request, reply, linesOfEvents(events)) as never;
        }
        if (isAsyncPreferred(request)) reply.header('preference-applied', 'respond-async');
        const ask = { ...options, categories, format } as const;
        const bytes = body instanceof Readable ? bounded(body) : linesOfItems(request.body);
        return sendAccepted(reply, await services.importJobs.start(owner(), ask, bytes));
      },
    );
  };

/** A stream has no shape before it is read. */
function ofJsonAlone(): FastifySchemaCompiler<TSchema> {
  const compile = strictCompiler();
  return (route) => {
    const check = compile(route);
    return (value: unknown) => {
      if (value instanceof Readable || check(value) === true) return true;
      return { error: (check as unknown as { readonly errors: FastifySchemaValidationError[] }).errors };
    };
  };
}

function isAsyncPreferred({ headers }: FastifyRequest): boolean {
  return String(headers['prefer'] ?? '')
    .split(',')
    .some((preference) => preference.split(';')[0]?.trim().toLowerCase() === 'respond-async');
}

async function* linesOfItems({ items }: api.ImportInput): AsyncGenerator<Uint8Array> {
  for (const item of items) yield Buffer.from(`${JSON.stringify(item)}\n`);
}

async function* bounded(body: Readable): AsyncGenerator<Uint8Array> {
  let length = 0;
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      length += piece.length;
      if (length > SPOOLED_BYTES)
        throw new BrainError('too_large', `an import has at most ${SPOOLED_BYTES} bytes`);
      yield piece;
    }
  } catch (cause) {
    if (BrainError.is(cause)) throw cause;
    throw new BrainError('aborted', 'the caller went away', { cause, operation: 'http.import' });
  }
}

async function* linesOfEvents(events: AsyncIterable<ImportEvent>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`;
}
