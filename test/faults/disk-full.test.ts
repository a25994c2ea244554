import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../src/api/common.ts';
import { ApiError, brainClient, type BrainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { isBrainError } from '../../src/domain/error.ts';
import { instant, ownerId } from '../../src/domain/values.ts';
import { createServices, type Services } from '../../src/services/services.ts';
import { uuidv7Generator } from '../../src/shared/uuid.ts';
import { openDataFolder } from '../../src/storage/embedded/data-folder.ts';
import { SqliteTable } from '../../src/storage/embedded/sqlite-table.ts';
import { Store } from '../../src/storage/store.ts';
import { serviceParts } from '../support/service-parts.ts';
import { Ledger } from './ledger.ts';
import { mountTmpfs } from './mounts.ts';
import { textOf } from './notes.ts';
import { examine } from './oracle.ts';
import { SEED, seeded } from './seed.ts';
import { listening } from './server-process.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-full-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const OWNER = ownerId('local');
const MANY = 5_000;
const DELETED = 50;

/** The graph over a database that may not grow beyond so many pages. */
async function withPages(
  dataDir: string,
  maxPages: number | undefined,
  work: (services: Services) => Promise<void>,
): Promise<void> {
  const folder = openDataFolder(dataDir);
  const table = new SqliteTable({ path: folder.databasePath, ...(maxPages !== undefined && { maxPages }) });
  const newId = uuidv7Generator(Date.now);
  const store = new Store({
    table,
    now: () => instant(Date.now()),
    newEpoch: newId,
    correlationId: () => '-',
  });
  const snapshots = { load: folder.loadIndex, save: folder.saveIndex };
  const services = createServices({ ...serviceParts(table), store, snapshots, newId });
  try {
    await work(services);
  } finally {
    await store.drain();
    await services.indexes.close();
    await table.close();
    folder.release();
  }
}

describe('a database that may not grow', () => {
  it('refuses with storage_full, keeps what it acknowledged, reads, and goes on when there is room', async () => {
    const dataDir = join(root, 'pages');
    const random = seeded(SEED);
    const ledger = new Ledger();
    const note = (number: number) => ({ title: `note ${number}`, content: textOf(number % 10, random) });

    await withPages(dataDir, 200, async ({ nodes, search, graph }) => {
      const refused = await untilRefused(MANY, async (number) => {
        const input = note(number);
        ledger.acknowledge('nodes', (await nodes.create(OWNER, input)).node.id, input);
      });
      expect(isBrainError(refused, 'storage_full')).toBe(true);
      expect(ledger.size).toBeGreaterThan(10);
      expect((await graph.counts(OWNER)).counts.nodes).toBe(ledger.size);
      const found = await search.search(OWNER, { q: 'note', limit: 10 });
      expect(found.items).toHaveLength(10);
    });
    expect(await examine(dataDir, ledger.expectations)).toEqual([]);

    await withPages(dataDir, undefined, async ({ nodes }) => {
      const input = note(MANY);
      ledger.acknowledge('nodes', (await nodes.create(OWNER, input)).node.id, input);
    });
    expect(await examine(dataDir, ledger.expectations)).toEqual([]);
  });
});

describe('a disk that runs full under a server', () => {
  it('answers 507, keeps what it acknowledged, reads, deletes out of its ballast, and goes on once space is freed', async (context) => {
    const mounted = mountTmpfs(join(root, 'disk'), 24 * 1024 * 1024);
    if ('impossible' in mounted) return context.skip(mounted.impossible);
    const dataDir = join(mounted.path, 'data');
    const ballast = join(mounted.path, 'ballast');
    const server = await listening(dataDir);
    try {
      const client = brainClient(httpTransport(server.url));
      const ledger = new Ledger();
      await fill(client, ledger, 20);
      writeBallast(ballast, 512 * 1024);

      expect(await fill(client, ledger, MANY)).toMatchObject({ status: 507, code: 'storage_full' });
      const known = [...ledger.expectations];
      expect(await client.nodes.get(known.at(-1)?.id ?? '')).toMatchObject(known.at(-1)?.anyOf[0] as object);
      expect((await client.search('note')).items.length).toBeGreaterThan(0);
      expect(await fill(client, ledger, 1)).toMatchObject({ status: 507, code: 'storage_full' });

      expect(existsSync(join(dataDir, 'ballast'))).toBe(false);
      for (const { id } of known.slice(0, DELETED)) {
        await client.nodes.delete(id, 1);
        ledger.acknowledge('nodes', id, 'gone');
      }
      expect(await fill(client, ledger, 1)).toMatchObject({ status: 507, code: 'storage_full' });

      rmSync(ballast);
      expect(await fill(client, ledger, 20)).toBeUndefined();
      expect(existsSync(join(dataDir, 'ballast'))).toBe(true);
      expect((await server.stop()).code).toBe(0);
      expect(await examine(dataDir, ledger.expectations)).toEqual([]);
    } finally {
      await server.kill();
      mounted.unmount();
    }
  });
});

/** Takes the space of the disk but for the last bytes. */
function writeBallast(path: string, leaveBytes: number): void {
  const { bavail, bsize } = statfsSync(join(path, '..'));
  writeFileSync(path, Buffer.alloc(bavail * bsize - leaveBytes));
}

/** Creates notes until one is refused; gives what the server said of it. */
async function fill(client: BrainClient, ledger: Ledger, count: number): Promise<Problem | undefined> {
  const random = seeded(SEED);
  const error = await untilRefused(count, async (number) => {
    const input = { title: `note ${ledger.size}`, content: textOf(number % 10, random) };
    ledger.acknowledge('nodes', (await client.nodes.create(input)).id, input);
  });
  if (error === undefined || error instanceof ApiError) return error?.problem;
  throw error;
}

async function untilRefused(count: number, write: (number: number) => Promise<void>): Promise<unknown> {
  for (let number = 0; number < count; number++) {
    try {
      await write(number);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}
