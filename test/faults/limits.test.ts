import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { brainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { Ledger } from './ledger.ts';
import { textOf } from './notes.ts';
import { examine } from './oracle.ts';
import { IS_LONG, SEED, seeded } from './seed.ts';
import { listening } from './server-process.ts';

const LIMITS = { heapMb: 128, descriptors: 256 };
const STOPPED_MS = IS_LONG ? 30_000 : 2_000;
/** What a machine that is busy may take longer than the second that is promised. */
const BACK_MS = 1_000 + 4_000;
const CONNECTIONS = 400;
const NOTES = 500;

const root = mkdtempSync(join(tmpdir(), 'brain2-limits-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('with a heap of 128 MB and 256 descriptors', () => {
  it('serves a bulk, is back once connections beyond its descriptors are gone, and after it was stopped', async () => {
    const dataDir = join(root, 'data');
    const server = await listening(dataDir, 0, LIMITS);
    onTestFinished(() => server.kill());
    const client = brainClient(httpTransport(server.url));
    const ledger = new Ledger();
    const random = seeded(SEED);
    const items = Array.from({ length: NOTES }, (_, at) => ({
      title: `note ${at}`,
      content: textOf(at % 10, random),
    }));
    const bulk = await client.nodes.bulk.create({ mode: 'partial', items });
    for (const [at, { id = '' }] of bulk.items.entries()) ledger.acknowledge('nodes', id, { ...items[at] });

    const sockets = await connections(server.url, CONNECTIONS);
    expect(await livezOver(sockets[0]!)).toMatch(/^HTTP\/1.1 200 /); // those that were first are served
    for (const socket of sockets) socket.destroy();
    await back(server.url);

    process.kill(server.pid, 'SIGSTOP');
    const waiting = Array.from({ length: 20 }, (_, at) => client.nodes.create({ title: `waiting ${at}` }));
    const settled = Promise.allSettled(waiting);
    await delay(STOPPED_MS); // the length of the fault itself
    process.kill(server.pid, 'SIGCONT');
    await back(server.url);
    const refused: unknown[] = [];
    for (const outcome of await settled) {
      if (outcome.status === 'rejected') refused.push(outcome.reason);
      else ledger.acknowledge('nodes', outcome.value.id, { title: outcome.value.title });
    }
    // Told that nothing was done, and not hung up on.
    const retryable: unknown = expect.objectContaining({
      problem: expect.objectContaining({ retryable: true }),
    });
    expect(refused).toEqual(refused.map(() => retryable));
    expect((await server.stop()).code).toBe(0);
    expect(await examine(dataDir, ledger.expectations)).toEqual([]);
  });
});

/** Opens so many; those that nobody can take stay in the queue of the system, or are hung up on. */
async function connections(url: string, count: number): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: count }, () => connect(Number(port), hostname));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(
    sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {})),
  );
  return sockets;
}

async function livezOver(socket: Socket): Promise<string> {
  socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

/** Within a second it answers, reads and writes. */
async function back(url: string): Promise<void> {
  const start = performance.now();
  await vi.waitFor(
    async () => {
      const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(BACK_MS) });
      expect(ready.status).toBe(200);
    },
    { timeout: 4 * BACK_MS, interval: 20 },
  );
  expect(performance.now() - start).toBeLessThan(BACK_MS);
}
