import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BrainError, isBrainError } from '../domain/error.ts';
import { ownerId } from '../domain/values.ts';
import type { Keep, ReceiptService } from '../services/receipts.ts';
import { requestContext } from './context.ts';

/** An answer that can be given again. */
export interface Answer<B> {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body: B;
}

/**
 * Does the work of a POST, and answers it. With an `Idempotency-Key` it is done once: the answer is kept with the
 * effect, and the same request gets it again. `run` must hand `keep`, where it is given, to whatever stores the effect.
 */
export type Once = <T, B>(
  call: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  run: (keep: Keep<T> | undefined) => Promise<T>,
  answerOf: (result: T) => Answer<B>,
) => Promise<B>;

/** A structured string (draft-ietf-httpapi-idempotency-key-header-07), or the same without its quotes. */
const KEY = /^(?:"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255}))$/;
/** So long the same request waits for the one that came first, before it is told to come back. */
const WAIT_MS = 5_000;
const RETRY_AFTER_SECONDS = 1;

export function idempotency(receipts: ReceiptService, waitMs = WAIT_MS): Once {
  const running = new Map<string, Promise<void>>();

  /** Lets one request of a name through at a time. Throws `in_progress` for one that waited in vain. */
  async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    for (let other = running.get(name); other; other = running.get(name)) {
      if (!(await endsWithin(other, waitMs)))
        throw new BrainError('in_progress', 'the first request of this Idempotency-Key is still running');
    }
    const done = Promise.withResolvers<void>();
    running.set(name, done.promise);
    try {
      return await work();
    } finally {
      running.delete(name);
      done.resolve();
    }
  }

  return async ({ request, reply }, run, answerOf) => {
    const key = keyOf(request);
    if (key === undefined) return give(reply, answerOf(await run(undefined)));
    const owner = ownerId(requestContext().ownerId);
    const about = nameOf(request, key);
    const replay = async () => {
      const found = await receipts.find(owner, about);
      if (!found) return undefined;
      reply.header('idempotency-replayed', 'true');
      return found.answer as ReturnType<typeof answerOf>;
    };
    try {
      const answer = await alone(`${owner}\n${about.name}`, async () => {
        const kept = await replay();
        return kept ?? answerOf(await run(receipts.keeping(about, answerOf)));
      });
      return give(reply, answer);
    } catch (error) {
      if (!isBrainError(error, 'in_progress')) throw error;
      const kept = await replay(); // another process was first
      if (kept) return give(reply, kept);
      reply.header('retry-after', RETRY_AFTER_SECONDS);
      throw error;
    }
  };
}

/** The key of the request, if it has one. Throws `malformed`. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  const [, quoted, bare] = KEY.exec(String(header)) ?? [];
  const key = quoted ?? bare;
  if (key === undefined)
    throw new BrainError('malformed', 'an Idempotency-Key is 1 to 255 printable characters of ASCII', {
      operation: 'http.idempotency',
    });
  return key;
}

/** For a POST that is not done once: throws `invalid` where the caller counts on it. */
export function refuseKey(request: FastifyRequest, because: string): void {
  if (keyOf(request) === undefined) return;
  throw new BrainError('invalid', `this takes no Idempotency-Key: ${because}`, {
    issues: [{ pointer: '/idempotency-key', code: 'not_taken', message: 'leave the header out' }],
  });
}

/** The request's name among those of its owner, and a digest of what else it says. */
function nameOf({ method, url, body }: FastifyRequest, key: string) {
  const [path = '', query = ''] = url.split('?', 2);
  return {
    name: hash('sha256', `${method} ${path}\n${key}`, 'base64url'),
    asked: hash('sha256', `${query}\n${JSON.stringify(body)}`, 'base64url'),
  };
}

function give<B>(reply: FastifyReply, { status, headers = {}, body }: Answer<B>): B {
  reply.code(status).headers(headers);
  return body;
}

async function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
  const clock = new AbortController();
  try {
    return await Promise.race([
      work.then(() => true),
      delay(ms, false, { signal: clock.signal }).catch(() => false),
    ]);
  } finally {
    clock.abort();
  }
}
