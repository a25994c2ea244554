import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ApiError, brainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { openBrain } from '../../src/server/brain.ts';
import { dataFolder } from '../http/client.ts';
import { settingsOf } from '../support/place.ts';
import { Ledger } from './ledger.ts';
import { examine } from './oracle.ts';
import { SEED, seeded } from './seed.ts';
import { Writer } from './writer.ts';

/** The threads that write, as they are started from now on. */
function startedWriters(): readonly Worker[] {
  const threads: Worker[] = [];
  const onWorker = (worker: Worker): void => {
    if (worker.threadName === 'sqlite-writer') threads.push(worker);
  };
  process.on('worker', onWorker);
  onTestFinished(() => void process.off('worker', onWorker));
  return threads;
}

it('a server whose writing thread is lost refuses by name, is not ready, and goes on with another one', async () => {
  const threads = startedWriters();
  const lines: string[] = [];
  const dataDir = dataFolder();
  const logTo = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(line.toString());
      done();
    },
  });
  const brain = await openBrain({ ...settingsOf(dataDir), store: 'sqlite', logLevel: 'error' }, { logTo });
  await brain.app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(brain.app.server.address() as AddressInfo).port}`;
  const client = brainClient(httpTransport(url));
  const ledger = new Ledger();
  const refusals: ApiError[] = [];
  const writers = [1, 2, 3].map((number) => new Writer(ledger, seeded(SEED * 1_000 + number)));
  const over = new AbortController();
  const writing = writers.map(async (writer) => {
    while (!over.signal.aborted) {
      await writer.write(client).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        refusals.push(error);
      });
    }
  });
  const acknowledged = (count: number) =>
    vi.waitFor(() => expect(ledger.size).toBeGreaterThanOrEqual(count), { timeout: 30_000 });

  await acknowledged(20);
  // The first is followed by another at once; one that does not last is not, for a second.
  await vi.waitFor(
    async () => {
      await threads.at(-1)?.terminate();
      expect((await brain.app.inject('/readyz')).statusCode).toBe(503);
    },
    { timeout: 30_000, interval: 20 },
  );
  const lost = threads.length;
  expect((await brain.app.inject('/livez')).statusCode).toBe(200);
  const before = ledger.size;
  await acknowledged(before + 20);
  over.abort();
  await Promise.all(writing);
  expect((await brain.app.inject('/readyz')).statusCode).toBe(200);
  await brain.close();

  expect(refusals.length).toBeGreaterThan(0);
  for (const { problem } of refusals) {
    expect(problem.status).toBe(503);
    expect(['timeout', 'unavailable']).toContain(problem.code);
  }
  expect(lines.filter((line) => line.includes('the thread that writes has ended; the next'))).toHaveLength(
    lost,
  );
  expect(await examine(dataDir, ledger.expectations)).toEqual([]);
});
