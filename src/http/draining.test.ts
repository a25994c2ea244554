import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { useDraining } from './draining.ts';

test('the end waits for an answer that is taken, and for none that nobody takes', async () => {
  const app = Fastify();
  onTestFinished(() => app.close());
  useDraining(app, 100);
  const isAnswered = Promise.withResolvers<void>();
  app.get('/slow', async () => {
    await isAnswered.promise;
    return 'done';
  });
  const endless = function* () {
    for (;;) yield Buffer.alloc(64 * 1024);
  };
  app.get('/endless', (_request, reply) => reply.send(Readable.from(endless())));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const stalled = connect(port, '127.0.0.1').on('error', () => {});
  stalled.write('GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(stalled, 'data');
  stalled.pause();
  const slow = fetch(`http://127.0.0.1:${port}/slow`);
  await once(app.server, 'request');
  let isDrained = false;
  const draining = app.drain().then(() => (isDrained = true));
  const connections = () =>
    new Promise<number>((resolve) => app.server.getConnections((_error, count) => resolve(count)));
  expect(await connections()).toBe(2);
  while ((await connections()) > 1) await nextTurn();
  expect(isDrained).toBe(false);
  isAnswered.resolve();
  expect(await (await slow).text()).toBe('done');
  await draining;
});
