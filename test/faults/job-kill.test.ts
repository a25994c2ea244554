import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { JobItem } from '../../src/api/v2-jobs.ts';
import { brainClient, type BrainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { expectLinked } from './linked.ts';
import { vaultNotes } from './notes.ts';
import { examine } from './oracle.ts';
import { KILLS, SEED, seeded } from './seed.ts';
import { listening } from './server-process.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-job-kill-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const kills = Array.from({ length: KILLS }, (_, at) => at + 1);
const notes = vaultNotes(400, SEED);

describe(`killed in an import that is a job, seed ${SEED}`, () => {
  it.each(kills)('kill %i: the job goes on by itself, and ends with each item once', async (kill) => {
    const dataDir = join(root, `job-${kill}`);
    const random = seeded(SEED * 1_000 + kill);
    const told = new Map<number, string>();
    let id: string | undefined;
    // Killed twice: the second time in the work that the first one left.
    for (const share of [random.below(300), 100 + random.below(400)]) {
      const server = await listening(dataDir);
      const client = brainClient(httpTransport(server.url));
      id ??= (await client.imports.create({ notes }, { collection: 'vault' })).id;
      await toldOf(client, id, { atLeast: share, told });
      await server.kill(random.below(random.pick([1, 500, 3_000])));
      expect(await examine(dataDir, [])).toEqual([]);
    }
    const server = await listening(dataDir);
    const client = brainClient(httpTransport(server.url));
    const job = await client.jobs.wait(id ?? '');
    expect(job).toMatchObject({
      status: 'done',
      progress: { done: notes.length, total: notes.length, failed: 0 },
      result: { created: notes.length, notes: notes.length, failed: 0, brokenReferences: 0 },
    });
    const report = await itemsOf(client, job.id);
    await server.stop();
    expect(report.map(({ index, key, status }) => `${index} ${key} ${status}`)).toEqual(
      notes.map(({ key }, index) => `${index} ${key} created`),
    );
    for (const [index, nodeId] of told) expect([index, report[index]?.nodeId]).toEqual([index, nodeId]);
    expect(await examine(dataDir, [])).toEqual([]);
    await expectLinked(dataDir, notes);
  });
});

/** Reads the report until it tells of so many items, or the job has ended; keeps what was told. */
async function toldOf(
  client: BrainClient,
  id: string,
  { atLeast, told }: { readonly atLeast: number; readonly told: Map<number, string> },
): Promise<void> {
  for (;;) {
    for (const { index, nodeId = '' } of await itemsOf(client, id)) told.set(index, nodeId);
    if (told.size >= Math.min(atLeast, notes.length) || (await client.jobs.get(id)).endedAt !== null) return;
  }
}

async function itemsOf(client: BrainClient, id: string): Promise<readonly JobItem[]> {
  const items: JobItem[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.jobs.items(id, { limit: 200, cursor });
    items.push(...page.items);
    cursor = page.page.next ?? undefined;
  } while (cursor !== undefined);
  return items;
}
