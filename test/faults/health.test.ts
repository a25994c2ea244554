import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Health } from '../../src/api/common.ts';
import { instant, ownerId } from '../../src/domain/values.ts';
import { openBrain } from '../../src/server/brain.ts';
import {
  diskCheck,
  eventLoopCheck,
  indexCheck,
  logCheck,
  storeCheck,
  workersCheck,
} from '../../src/server/health-checks.ts';
import { createServices } from '../../src/services/services.ts';
import { WorkerPool } from '../../src/shared/worker-pool.ts';
import { uuidv7Generator } from '../../src/shared/uuid.ts';
import { SqliteTable } from '../../src/storage/embedded/sqlite-table.ts';
import { Store } from '../../src/storage/store.ts';
import type { PoolTestJob } from '../support/pool-entry.ts';
import { dataFolder } from '../http/client.ts';
import { settingsOf } from '../support/place.ts';
import { serviceParts } from '../support/service-parts.ts';
import { mountTmpfs } from './mounts.ts';
import { listening } from './server-process.ts';

const OWNER = ownerId('local');
const root = mkdtempSync(join(tmpdir(), 'brain2-health-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const TURN_MS = 2_000;
/** What a machine that is busy may take longer. */
const BUSY_MS = 4_000;

async function stateOf(url: string) {
  const [livez, readyz, health] = await Promise.all([
    fetch(`${url}/livez`),
    fetch(`${url}/readyz`),
    fetch(`${url}/health`),
  ]);
  const { components } = (await health.json()) as Health;
  return { livez: livez.status, readyz: readyz.status, health: health.status, components };
}

/** Readiness turns within two seconds, while the process is alive all the time. */
/** Writes until nothing fits any more: the server writes, too, so how much does cannot be known before. */
function fillUp(path: string): void {
  const piece = Buffer.alloc(64 * 1024);
  for (;;) {
    try {
      appendFileSync(path, piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}

async function turns(url: string, status: 200 | 503, name: string, state: Health['status']): Promise<void> {
  const start = performance.now();
  await vi.waitFor(
    async () => {
      const { livez, readyz, health, components } = await stateOf(url);
      expect(livez).toBe(200);
      expect({ readyz, health, state: components[name]?.status }).toEqual({
        readyz: status,
        health: status,
        state,
      });
    },
    { timeout: 20_000, interval: 50 },
  );
  expect(performance.now() - start).toBeLessThan(TURN_MS + BUSY_MS);
}

/** Services over a database file that others may have open as well. */
function openServices(path: string, options: { readonly maxPages?: number } = {}) {
  const table = new SqliteTable({ path, ...options });
  const newId = uuidv7Generator(Date.now);
  const store = new Store({
    table,
    now: () => instant(Date.now()),
    newEpoch: newId,
    correlationId: () => '-',
  });
  const snapshots = { load: async () => undefined, save: async () => {} };
  return {
    table,
    store,
    services: createServices({ ...serviceParts(table), store, snapshots, newId }),
  };
}

describe('the store', () => {
  it('turns /readyz and /health when its disk is full, and turns them back when there is room again', async (context) => {
    const mounted = mountTmpfs(join(root, 'full'), 24 * 1024 * 1024);
    if ('impossible' in mounted) return context.skip(mounted.impossible);
    const server = await listening(join(mounted.path, 'data'));
    try {
      await turns(server.url, 200, 'store', 'up');
      fillUp(join(mounted.path, 'ballast'));
      // Probes go into the log of the database until that needs more room.
      await vi.waitFor(
        async () => expect((await stateOf(server.url)).components['store']?.status).toBe('down'),
        { timeout: 30_000, interval: 10 },
      );
      await turns(server.url, 503, 'store', 'down');
      const { components } = await stateOf(server.url);
      expect(components['store']).toMatchObject({ message: 'The disk is full' });
      expect(components['disk']).toMatchObject({ status: 'down', message: 'the disk is full' });
      rmSync(join(mounted.path, 'ballast'));
      await turns(server.url, 200, 'store', 'up');
    } finally {
      await server.kill();
      mounted.unmount();
    }
  });

  it('turns them when the disk refuses to write, and they stay so until it is opened anew', async (context) => {
    const server = await listening(join(root, 'read-only'));
    const inject = ['-f', '-qq', '-e', 'trace=pwrite64,fdatasync,fsync', '-e', 'inject=pwrite64:error=EROFS'];
    const strace = spawn('strace', [...inject, '-o', '/dev/null', '-p', String(server.pid)], {
      stdio: 'ignore',
    });
    try {
      const ended = await Promise.race([
        once(strace, 'error').then(() => 'no strace'),
        once(strace, 'exit').then(() => 'no tracing of processes'),
        vi.waitFor(async () => expect((await stateOf(server.url)).components['store']?.status).toBe('down'), {
          timeout: 20_000,
          interval: 50,
        }),
      ]);
      if (typeof ended === 'string') return context.skip(ended);
      await turns(server.url, 503, 'store', 'down');
    } finally {
      strace.kill();
      await server.kill();
    }
    const again = await listening(join(root, 'read-only'));
    await turns(again.url, 200, 'store', 'up');
    await again.kill();
  });

  it('is down when it is closed, and its probe fails when nothing may be written', async () => {
    const path = join(root, 'closed.sqlite');
    const { table, store } = openServices(path);
    const check = storeCheck({ table, store, owner: OWNER });
    expect(await check()).toMatchObject({ status: 'up' });
    await table.close();
    await expect(check()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a probe', () => {
  it('leaves no event and no larger database behind, however often it is sent', async () => {
    const dataDir = dataFolder();
    const brain = await openBrain(settingsOf(dataDir));
    onTestFinished(() => brain.close());
    const databasePath = join(brain.folder.path, 'brain2.sqlite');
    const { table, store } = openServices(databasePath);
    const check = storeCheck({ table, store, owner: OWNER });
    for (let probe = 0; probe < 50; probe++) await check();
    /** With all that is in the log copied into it. */
    const size = () => {
      const database = new DatabaseSync(databasePath);
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      database.close();
      return statSync(databasePath).size;
    };
    const before = size();
    for (let probe = 0; probe < 2_000; probe++) await check();
    expect(size()).toBe(before);
    expect((await brain.services.graph.counts(OWNER)).position.seq).toBe(0);
    await table.close();
    expect(size()).toBe(before);
  });
});

describe('the event loop', () => {
  it('is down when it was blocked for a second, degraded for less, and up again soon after', async () => {
    const { check, stop } = eventLoopCheck();
    onTestFinished(stop);
    const becomes = (status: string) =>
      vi.waitFor(async () => expect(await check()).toMatchObject({ status }), {
        timeout: 20_000,
        interval: 20,
      });
    /** Blocks it, again if the monitor had not begun to look, until the check says so. */
    const blocked = (ms: number, status: string) =>
      vi.waitFor(
        async () => {
          const end = performance.now() + ms;
          while (performance.now() < end);
          await vi.waitFor(async () => expect(await check()).toMatchObject({ status }), 100);
        },
        { timeout: 20_000, interval: 50 },
      );
    await blocked(1_200, 'down');
    await becomes('up');
    await blocked(400, 'degraded');
    await becomes('up');
  });

  it('turns /readyz and /health of a real server when it is stopped for a while', async () => {
    const server = await listening(join(root, 'blocked'));
    await turns(server.url, 200, 'eventLoop', 'up');
    process.kill(server.pid, 'SIGSTOP');
    setTimeout(() => process.kill(server.pid, 'SIGCONT'), 1_500);
    await turns(server.url, 503, 'eventLoop', 'down');
    await turns(server.url, 200, 'eventLoop', 'up');
    expect((await stateOf(server.url)).readyz).toBe(200);
    await server.kill();
  });
});

describe('the index and the log', () => {
  it('are degraded when another process has written much that this one has not taken, until it has', async () => {
    const path = join(root, 'two.sqlite');
    const mine = openServices(path);
    const other = openServices(path);
    const { services, store } = mine;
    await services.nodes.create(OWNER, { content: 'a note' });
    const check = indexCheck({ services, owner: OWNER }, 5);
    expect(await check()).toMatchObject({ status: 'up', details: { notes: 1, behind: 0 } });
    for (let note = 0; note < 5; note++)
      await other.services.nodes.create(OWNER, { content: `note ${note}` });
    const { seq } = await store.head(OWNER);
    expect(await check()).toMatchObject({ status: 'degraded', details: { notes: 1, behind: seq - 1 } });
    await services.search.search(OWNER, { q: 'note', limit: 1 });
    expect(await check()).toMatchObject({ status: 'up', details: { notes: 6, behind: 0 } });

    const log = (limits: { unsaved: number; pending: number }) =>
      logCheck({ store, services, owner: OWNER }, limits)();
    expect(await log({ unsaved: 1_000, pending: 100 })).toMatchObject({
      status: 'up',
      details: { pending: 0 },
    });
    expect(await log({ unsaved: seq, pending: 100 })).toMatchObject({ status: 'degraded' });
    const [node] = (await services.nodes.list(OWNER, { sort: 'createdAt' }, { limit: 1 })).items;
    if (!node) throw new Error('there is no note');
    await store.write(OWNER, async (tx) => tx.pending.replace(undefined, { nodeId: node.id, kind: 'link' }));
    expect(await log({ unsaved: 1_000, pending: 1 })).toMatchObject({
      status: 'degraded',
      details: { pending: 1 },
    });
    await services.pending.finish(OWNER);
    expect(await log({ unsaved: 1_000, pending: 1 })).toMatchObject({
      status: 'up',
      details: { pending: 0 },
    });
    await mine.table.close();
    await other.table.close();
  });
});

describe('the disk', () => {
  it('is degraded when little of it is free, down when nothing is, and throws when it is gone', async (context) => {
    const mounted = mountTmpfs(join(root, 'disk'), 150 * 1024 * 1024);
    if ('impossible' in mounted) return context.skip(mounted.impossible);
    const check = diskCheck(mounted.path);
    try {
      expect(await check()).toMatchObject({ status: 'up' });
      writeFileSync(join(mounted.path, 'much'), Buffer.alloc(80 * 1024 * 1024));
      expect(await check()).toMatchObject({ status: 'degraded' });
      writeFileSync(join(mounted.path, 'all'), Buffer.alloc(68 * 1024 * 1024));
      expect(await check()).toMatchObject({ status: 'down' });
    } finally {
      mounted.unmount();
    }
    await expect(diskCheck(join(root, 'nowhere'))()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('workers', () => {
  it('are degraded when their queue is almost full, and down while job after job crashes', async () => {
    let nowMs = 0;
    const entry = new URL('../support/pool-entry.ts', import.meta.url);
    const pool = new WorkerPool<PoolTestJob, unknown>(entry, {
      threads: 1,
      queueLimit: 5,
      nowMs: () => nowMs,
    });
    const check = workersCheck(pool, 'worker after worker crashes');
    expect(await check()).toEqual({ status: 'up', details: { waiting: 0, limit: 5 } });
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const held = pool.run({ do: 'wait', gate });
    const waiting = Array.from({ length: 4 }, () => pool.run({ do: 'exit' }).catch(() => {}));
    expect(await check()).toMatchObject({ status: 'degraded', details: { waiting: 4, limit: 5 } });
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await Promise.all([held, ...waiting]);
    expect(await check()).toMatchObject({ status: 'down', message: 'worker after worker crashes' });
    await pool.run({ do: 'echo' });
    expect(await check()).toMatchObject({ status: 'up' });
    await pool.close();
  });
});
