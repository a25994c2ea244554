import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Turns } from '../shared/turns.ts';
import { inContextOf } from './context.ts';
import { problemOf } from './errors.ts';

type Pieces = AsyncIterable<string> | Iterable<string>;

/**
 * Answers in lines of JSON, as they come. The status is sent before the end is known, so what ends them early is the
 * last of them: `{"type":"problem","problem":{…}}`.
 */
export function sendLines(request: FastifyRequest, reply: FastifyReply, lines: Pieces): FastifyReply {
  reply.header('content-type', 'application/x-ndjson');
  return sendPieces(reply, endedByProblem(request, lines));
}

/**
 * Answers in one object of JSON, whose lists may be too long to be made in one turn: they may be iterators, whose items
 * are made as they are sent. What ends it early cuts the answer off.
 */
export function sendJson(request: FastifyRequest, reply: FastifyReply, answer: object): FastifyReply {
  reply.header('content-type', 'application/json; charset=utf-8');
  return sendPieces(reply, inContext(request, inPieces(jsonOf(answer))));
}

function sendPieces(reply: FastifyReply, pieces: AsyncIterable<string>): FastifyReply {
  return reply.send(Readable.from(pieces, { objectMode: false }));
}

async function* endedByProblem(request: FastifyRequest, lines: Pieces): AsyncGenerator<string> {
  try {
    yield* inContext(request, lines);
  } catch (error) {
    yield `${JSON.stringify({ type: 'problem', problem: problemOf(error, request) })}\n`;
  }
}

/** Each piece is made in the context of the request: it is asked for on events of the socket, which know none. */
async function* inContext(request: FastifyRequest, pieces: Pieces): AsyncGenerator<string> {
  const iterator =
    Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  let isOpen = true;
  try {
    while (isOpen) {
      const next = await inContextOf(request, async () => iterator.next());
      isOpen = next.done !== true;
      if (next.done !== true) yield next.value;
    }
  } catch (error) {
    isOpen = false;
    throw error;
  } finally {
    if (isOpen) await inContextOf(request, async () => iterator.return?.()); // the caller went away
  }
}

const TEXTS_A_PIECE = 200;

/** Short texts joined to pieces worth a write, with turns for others in between. */
export async function* inPieces(texts: Iterable<string>): AsyncGenerator<string> {
  const turns = new Turns();
  let piece: string[] = [];
  for (const text of texts) {
    if (piece.push(text) < TEXTS_A_PIECE) continue;
    yield piece.join('');
    piece = [];
    if (turns.isOver) await turns.next();
  }
  yield piece.join('');
}

function* jsonOf(answer: object): Generator<string> {
  yield '{';
  let separator = '';
  for (const [name, value] of Object.entries(answer) as [string, unknown][]) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(name)}:`;
    if (isIterable(value)) yield* listOf(value);
    else yield JSON.stringify(value);
    separator = ',';
  }
  yield '}';
}

function* listOf(items: Iterable<unknown>): Generator<string> {
  yield '[';
  let separator = '';
  for (const item of items) {
    yield separator + JSON.stringify(item);
    separator = ',';
  }
  yield ']';
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value;
