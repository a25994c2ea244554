import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiError, brainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { Ledger } from './ledger.ts';
import { textOf } from './notes.ts';
import { examine } from './oracle.ts';
import { SEED, seeded } from './seed.ts';
import { listening } from './server-process.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-disk-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const REFUSALS = 20;
const MOST_WRITES = 200;

/** Has one sync of the process fail as a broken disk does, the nth from now; or says why that is not possible. */
async function failSync(pid: number, nth: number): Promise<{ stop(): Promise<void> } | string> {
  const syncs = 'fsync,fdatasync';
  const strace = spawn(
    'strace',
    ['-f', '-e', `trace=${syncs}`, '-e', `inject=${syncs}:error=EIO:when=${nth}`, '-p', String(pid)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(strace, 'exit').then(
    () => 'no tracing of processes here',
    () => 'there is no strace here',
  );
  const attached = new Promise<undefined>((resolve) =>
    strace.stderr.on('data', (piece: Buffer) => piece.includes('attached') && resolve(undefined)),
  );
  const impossible = await Promise.race([ended, attached]);
  if (impossible !== undefined) return impossible;
  return {
    async stop() {
      strace.kill();
      await ended;
    },
  };
}

describe('a sync of the disk that fails', () => {
  it.for([1, 7])(
    'sync %i: nothing is acknowledged after it, reads go on, readiness is down until a start',
    async (nth, context) => {
      const dataDir = join(root, `sync-${nth}`);
      const server = await listening(dataDir);
      const client = brainClient(httpTransport(server.url));
      const ledger = new Ledger();
      const random = seeded(SEED);
      const write = async (number: number): Promise<void> => {
        const input = { title: `note ${number}`, content: textOf(number % 10, random) };
        ledger.acknowledge('nodes', (await client.nodes.create(input)).id, input);
      };
      try {
        for (let number = 0; number < 5; number++) await write(number);
        const failing = await failSync(server.pid, nth);
        if (typeof failing === 'string') return context.skip(failing);
        const codes: string[] = [];
        for (let number = 0; number < MOST_WRITES && codes.length < REFUSALS; number++) {
          await write(100 + number).catch((error: unknown) => {
            if (!(error instanceof ApiError)) throw error;
            codes.push(error.problem.code);
          });
        }
        await failing.stop();
        const known = ledger.size;
        expect(codes).toEqual(['timeout', ...codes.slice(1).map(() => 'read_only')]);
        await expect(write(1_000)).rejects.toMatchObject({ problem: { status: 503, code: 'read_only' } });
        expect(ledger.size).toBe(known);

        const last = [...ledger.expectations].at(-1)!;
        expect(await client.nodes.get(last.id)).toMatchObject(last.anyOf[0] as object);
        const state = async (path: string) => (await fetch(`${server.url}${path}`)).status;
        await vi.waitFor(async () => expect(await state('/readyz')).toBe(503), { timeout: 10_000 });
        expect(await state('/livez')).toBe(200);
        expect((await server.stop()).code).toBe(0);
        expect(await examine(dataDir, ledger.expectations)).toEqual([]);
      } finally {
        await server.kill();
      }
      const again = await listening(dataDir);
      onTestFinished(() => again.kill());
      const isReady = async () => expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
      await vi.waitFor(isReady, { timeout: 20_000 });
    },
  );
});
