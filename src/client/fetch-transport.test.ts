import { expect, test } from 'vitest';
import { fetchTransport } from './fetch-transport.ts';

test('an answer that is left before its end is cancelled: else it holds its connection', async () => {
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => cancelled.resolve(),
  });
  const transport = fetchTransport('http://brain.test', { fetch: async () => new Response(body) });
  const answer = await transport({ method: 'GET', path: '/', headers: {} });
  let pieces = 0;
  for await (const _ of answer.body) if (++pieces === 2) break;
  await cancelled.promise;
  expect(pieces).toBe(2);
});
