import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { sendLines } from '../../src/http/streamed.ts';
import { signalOf } from '../../src/http/timeouts.ts';
import { failing } from './failing.ts';

const SECRET = 'zebrafinch';

describe('time', () => {
  const SHORT = { requestMs: 150, handlerMs: 100 };

  it('that is up is answered as timeout, while the handler goes on and its signal tells it', async () => {
    const reason = Promise.withResolvers<unknown>();
    const done = Promise.withResolvers<void>();
    const { url, lines, line } = await failing(
      (app) => {
        app.get(`/slow`, async (request) => {
          signalOf(request).addEventListener('abort', () => reason.resolve(signalOf(request).reason));
          await done.promise;
          return 'too late';
        });
      },
      { limits: SHORT },
    );
    const answer = await fetch(`${url}/slow?q=${SECRET}`, { headers: { 'x-correlation-id': 'slow' } });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await answer.json()).toMatchObject({ code: 'timeout', correlationId: 'slow', retryable: true });
    expect(await reason.promise).toMatchObject({ code: 'timeout' });
    done.resolve();
    await line(({ level }) => level === 'warn'); // the framework: an answer that comes after the answer
    expect(
      lines()
        .filter(({ correlationId }) => correlationId === 'slow')
        .map(({ msg }) => msg),
    ).toEqual(['request failed', 'request', 'of the web framework']);
    expect(JSON.stringify(lines())).not.toContain(SECRET);
  });

  it('within which a body did not come in is answered as request_timeout, and the connection is closed', async () => {
    const { url } = await failing((app) => app.post('/', async () => 'read'), { limits: SHORT });
    const sent = httpRequest(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '1000' },
    });
    sent.on('error', () => {}); // the server closes
    sent.write('{"a":');
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect([answer.statusCode, answer.headers.connection]).toEqual([408, 'close']);
    expect(JSON.parse(await text(answer))).toMatchObject({ code: 'request_timeout' });
    await once(sent, 'close');
  });

  it('does not cut an answer that has begun', async () => {
    const { url } = await failing(
      (app) => {
        app.get('/long', async (request, reply) =>
          sendLines(
            request,
            reply,
            (async function* () {
              const end = performance.now() + 3 * SHORT.handlerMs;
              for (; performance.now() < end; await new Promise(setImmediate)) yield '';
              yield '{"last":1}\n';
            })(),
          ),
        );
      },
      { limits: SHORT },
    );
    expect(await (await fetch(`${url}/long`)).text()).toBe('{"last":1}\n');
  });

  it('of a route may be its own', async () => {
    const { url } = await failing(
      (app) => {
        const config = { limits: { requestMs: 60_000, handlerMs: 60_000 } };
        app.get('/patient', { config }, async () => {
          const end = performance.now() + 3 * SHORT.handlerMs;
          while (performance.now() < end) await new Promise(setImmediate);
          return 'done';
        });
      },
      { limits: SHORT },
    );
    expect(await (await fetch(`${url}/patient`)).text()).toBe('done');
  });

  it('goes to the caller: one who goes away aborts the signal of the work', async () => {
    const reason = Promise.withResolvers<unknown>();
    const begun = Promise.withResolvers<void>();
    const { url, line } = await failing((app) => {
      app.get('/work', async (request) => {
        const signal = signalOf(request);
        signal.addEventListener('abort', () => reason.resolve(signal.reason));
        begun.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw signal.reason;
      });
    });
    const sent = httpRequest(`${url}/work`);
    sent.on('error', () => {}); // it is we who cut it
    sent.end();
    await begun.promise;
    sent.destroy();
    expect(await reason.promise).toMatchObject({ code: 'aborted' });
    expect(await line(({ msg }) => msg === 'request cut off')).toMatchObject({ level: 'info' });
  });
});
