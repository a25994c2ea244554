import { EventEmitter, once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/api/common.ts';
import { BrainError } from '../../src/domain/error.ts';
import { sendLines } from '../../src/http/streamed.ts';
import { currentContext } from '../../src/shared/context.ts';
import { failing } from './failing.ts';

const SECRET = 'zebrafinch';

const hostile = {
  get message(): string {
    throw new Error(SECRET);
  },
  get code(): string {
    throw new Error(SECRET);
  },
  get validation(): string {
    throw new Error(SECRET);
  },
  get stack(): string {
    throw new Error(SECRET);
  },
  toString(): string {
    throw new Error(SECRET);
  },
};
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const throwing = (): object => {
  const fail = (): never => {
    throw new Error(SECRET);
  };
  return new Proxy(new BrainError('conflict', SECRET), {
    get: fail,
    has: fail,
    getPrototypeOf: fail,
    ownKeys: fail,
  });
};

/** Whatever can be thrown. */
const THROWN: Readonly<Record<string, () => unknown>> = {
  'an error': () => new TypeError(`cannot read ${SECRET}`),
  'a text': () => SECRET,
  'an empty text': () => '',
  undefined: () => undefined,
  null: () => null,
  'a number': () => 42,
  'a symbol': () => Symbol(SECRET),
  'a function': () => () => SECRET,
  'an object without a prototype': () => Object.create(null) as unknown,
  'an object that looks like one of the framework': () => ({
    code: 'constructor',
    statusCode: 200,
    message: SECRET,
  }),
  'several errors': () => new AggregateError([new Error(SECRET), SECRET, null], SECRET),
  'an error with a cause of itself': () => {
    const error: Error & { cause?: unknown } = new Error(SECRET);
    error.cause = error;
    return error;
  },
  'getters that throw': () => hostile,
  'an error with getters that throw': () =>
    Object.defineProperties(new Error(SECRET), Object.getOwnPropertyDescriptors(hostile)),
  'a proxy that was revoked': revoked,
  'a proxy that throws': throwing,
  'a promise': () => Promise.resolve(SECRET),
};

describe('whatever is thrown', () => {
  it.each(Object.keys(THROWN))(
    '%s is answered as internal, says nothing of itself, and is one line of the log',
    async (name) => {
      const thrown = THROWN[name];
      const { url, lines, line } = await failing((app) => {
        app.get('/later', async () => {
          await Promise.resolve();
          throw thrown?.();
        });
        app.get('/at-once', () => {
          throw thrown?.();
        });
      });
      for (const path of ['/later', '/at-once']) {
        const answer = await fetch(`${url}${path}`, { headers: { 'x-correlation-id': path.slice(1) } });
        const body = (await answer.json()) as Problem;
        expect([answer.status, body.code, body.correlationId]).toEqual([500, 'internal', path.slice(1)]);
        expect(JSON.stringify(body)).not.toContain(SECRET);
        await line(({ msg, correlationId }) => msg === 'request' && correlationId === path.slice(1));
      }
      const failures = lines().filter(({ msg }) => msg === 'request failed');
      expect(failures.map(({ correlationId, code }) => [correlationId, code])).toEqual([
        ['later', 'internal'],
        ['at-once', 'internal'],
      ]);
      expect(lines()).toHaveLength(5); // one each, their access lines, and that it listens
    },
  );

  it('an abort is answered by what aborted: the time as timeout, anything else as aborted', async () => {
    const { url } = await failing((app) => {
      app.get('/time', () => {
        throw new DOMException('late', 'TimeoutError');
      });
      app.get('/abort', () => {
        throw new DOMException('stopped', 'AbortError');
      });
    });
    const codes = await Promise.all(
      ['/time', '/abort'].map(async (path) => ((await (await fetch(url + path)).json()) as Problem).code),
    );
    expect(codes).toEqual(['timeout', 'aborted']);
  });

  it('one error thrown to two requests has the ids of each in each answer', async () => {
    const shared = new BrainError('unavailable', 'the disk is gone');
    const { url, lines } = await failing((app) => {
      app.get('/probe', () => {
        throw shared;
      });
    });
    for (const id of ['one', 'two']) {
      const { correlationId, requestId } = (await (
        await fetch(`${url}/probe`, { headers: { 'x-correlation-id': id } })
      ).json()) as Problem;
      expect(correlationId).toBe(id);
      expect(lines().find((line) => line.requestId === requestId)?.correlationId).toBe(id);
    }
  });

  it('in development the problem tells stack, operation and causes; otherwise nothing of them', async () => {
    const routes = (app: FastifyInstance) =>
      app.get('/a/:id', () => {
        throw new BrainError('internal', 'outer', { cause: new Error('inner'), operation: 'note.read' });
      });
    const shown = await failing(routes, { showsInside: true });
    const body = (await (await fetch(`${shown.url}/a/1`)).json()) as Problem;
    expect(body).toMatchObject({
      detail: 'outer',
      debug: { operation: 'note.read', message: 'outer', cause: { type: 'Error', message: 'inner' } },
    });
    expect(JSON.stringify(body.debug)).toContain('failures.test.ts');
    const hidden = await failing(routes);
    const told = await (await fetch(`${hidden.url}/a/1`)).text();
    expect(told).not.toMatch(/outer|inner|note\.read|failures\.test|debug/);
  });
});

describe('a failure after the head was sent', () => {
  it('cuts the answer off, so that nobody takes it for whole, and is logged with its ids', async () => {
    const { url, line } = await failing((app) => {
      app.get('/raw', async (_request, reply) => {
        reply.raw.writeHead(200, { 'content-type': 'text/plain' });
        await new Promise((written) => reply.raw.write('the beginning', written));
        throw new Error('halfway');
      });
      app.get('/stream', async (_request, reply) =>
        reply.send(
          Readable.from(
            (async function* () {
              yield 'the beginning';
              await Promise.resolve();
              throw new Error('halfway');
            })(),
          ),
        ),
      );
    });
    for (const path of ['/raw', '/stream']) {
      const answer = await fetch(url + path, { headers: { 'x-correlation-id': path.slice(1) } });
      expect(answer.status).toBe(200);
      await expect(answer.text()).rejects.toThrow('terminated');
      const failed = await line(
        ({ err, correlationId }) => err?.message === 'halfway' && correlationId === path.slice(1),
      );
      expect(failed).toMatchObject({ level: 'error', code: 'internal' });
      expect(
        (await line(({ msg, correlationId }) => msg === 'request cut off' && correlationId === path.slice(1)))
          .status,
      ).toBe(200);
    }
  });

  it('of an answer in lines is its last line, a problem with the ids of the request', async () => {
    const { url, line } = await failing((app) => {
      app.get('/lines', async (request, reply) =>
        sendLines(
          request,
          reply,
          (function* () {
            yield '{"first":1}\n';
            throw new BrainError('unavailable', `lost ${SECRET}`);
          })(),
        ),
      );
    });
    const answer = await fetch(`${url}/lines`, { headers: { 'x-correlation-id': 'lines' } });
    const [first, last, ...rest] = (await answer.text()).trim().split('\n');
    expect([first, rest]).toEqual(['{"first":1}', []]);
    expect(JSON.parse(last ?? '')).toMatchObject({
      type: 'problem',
      problem: { code: 'unavailable', status: 503, correlationId: 'lines', instance: '/lines' },
    });
    expect(last).not.toContain(SECRET);
    expect(await line(({ msg }) => msg === 'request failed')).toMatchObject({ correlationId: 'lines' });
    expect(await line(({ msg }) => msg === 'request')).toMatchObject({ status: 200, code: 'unavailable' });
  });

  it('each piece of an answer in lines is made in the context of its request, also after its caller was slow', async () => {
    const seen = new Set<string | undefined>();
    const { url } = await failing((app) => {
      app.get('/lines', async (request, reply) =>
        sendLines(
          request,
          reply,
          (function* () {
            for (let piece = 0; piece < 200; piece++) {
              seen.add(currentContext()?.correlationId);
              yield 'x'.repeat(64 * 1024);
            }
          })(),
        ),
      );
    });
    const sent = httpRequest(`${url}/lines`, { headers: { 'x-correlation-id': 'slow' } });
    sent.end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    let bytes = 0;
    for await (const piece of answer) {
      bytes += (piece as Buffer).length;
      await new Promise(setImmediate);
    }
    expect([bytes, [...seen]]).toEqual([200 * 64 * 1024, ['slow']]);
  });

  it('by its caller ends what makes the lines', async () => {
    const ended = Promise.withResolvers<void>();
    const { url, line } = await failing((app) => {
      app.get('/lines', async (request, reply) =>
        sendLines(
          request,
          reply,
          (async function* () {
            try {
              for (;;) {
                yield 'x'.repeat(64 * 1024);
                await new Promise(setImmediate);
              }
            } finally {
              ended.resolve();
            }
          })(),
        ),
      );
    });
    const sent = httpRequest(`${url}/lines`);
    sent.on('error', () => {}); // it is we who cut it
    sent.end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    sent.destroy();
    await ended.promise;
    expect(await line(({ msg }) => msg === 'request cut off')).toMatchObject({ status: 200 });
  });
});

describe('a line that is written through the log of a request', () => {
  it('has the ids of that request, also from where no context is known', async () => {
    const emitter = new EventEmitter();
    const { url, line } = await failing((app) => {
      emitter.once('request', (log: FastifyBaseLogger) => {
        emitter.once('outside', () => log.info({ correlationId: 'forged' }, 'outside'));
      });
      app.get('/probe', async (request) => emitter.emit('request', request.log));
    });
    await (await fetch(`${url}/probe`, { headers: { 'x-correlation-id': 'bound' } })).text();
    emitter.emit('outside');
    expect(await line(({ msg }) => msg === 'outside')).toMatchObject({ correlationId: 'bound' });
  });
});

describe('what is no request', () => {
  /** The whole answer to these bytes. */
  async function answerTo(
    url: string,
    bytes: string,
  ): Promise<{ status: number; body: Problem; head: string }> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(bytes);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), body: JSON.parse(body) as Problem, head };
  }

  it('is answered as a problem with ids of its own, which its line in the log has as well', async () => {
    const { url, line, written } = await failing(() => {});
    const cases = [
      ['malformed', 400, `${SECRET}\r\n\r\n`],
      ['malformed', 400, `GET / HTTP/1.1\r\nhost: x\r\n${SECRET} : y\r\n\r\n`],
      ['malformed', 400, `GET / HTTP/1.1\r\nhost: x\r\nx-correlation-id: a\rforged: 1\r\n\r\n`],
      ['header_too_large', 431, `GET / HTTP/1.1\r\nhost: x\r\na: ${SECRET.repeat(3_000)}\r\n\r\n`],
    ] as const;
    for (const [code, status, bytes] of cases) {
      const answer = await answerTo(url, bytes);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(answer.head).toContain(`x-request-id: ${answer.body.requestId}`);
      expect(answer.head).toContain('api-version: 2');
      expect(await line(({ requestId }) => requestId === answer.body.requestId)).toMatchObject({
        code,
        status,
      });
    }
    expect(written.join('')).not.toContain(SECRET);
  });
});
