import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { inContextOf } from './context.ts';
import { problemOf } from './errors.ts';

/**
 * Answers in lines of JSON, as they come. The status is sent before the end is known, so what ends them early is the
 * last of them: `{"type":"problem","problem":{…}}`.
 */
export function sendLines(
  request: FastifyRequest,
  reply: FastifyReply,
  lines: AsyncIterable<string> | Iterable<string>,
): FastifyReply {
  reply.header('content-type', 'application/x-ndjson');
  return reply.send(Readable.from(endedByProblem(request, lines), { objectMode: false }));
}

/** Each piece is made in the context of the request: it is asked for on events of the socket, which know none. */
async function* endedByProblem(
  request: FastifyRequest,
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<string> {
  const iterator = Symbol.asyncIterator in lines ? lines[Symbol.asyncIterator]() : lines[Symbol.iterator]();
  let isOpen = true;
  try {
    while (isOpen) {
      const next = await inContextOf(request, async () => iterator.next());
      isOpen = next.done !== true;
      if (next.done !== true) yield next.value;
    }
  } catch (error) {
    isOpen = false;
    yield `${JSON.stringify({ type: 'problem', problem: problemOf(error, request) })}\n`;
  } finally {
    if (isOpen) await inContextOf(request, async () => iterator.return?.()); // the caller went away
  }
}
