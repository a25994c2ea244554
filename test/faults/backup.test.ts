import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { brainClient, type BrainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { applyEdgeEvent, type Edge } from '../../src/domain/edge.ts';
import { applyNodeEvent, type Node } from '../../src/domain/node.ts';
import { ownerId, type NodeId } from '../../src/domain/values.ts';
import { connect } from '../../src/server/connect.ts';
import { readSettings } from '../../src/server/settings.ts';
import { sqliteVerifySource } from '../../src/storage/embedded/sqlite-verify-source.ts';
import { readChanges, readHead, type Head, type LoggedEvent } from '../../src/storage/log.ts';
import { brain2 } from '../cli/brain2.ts';
import { Ledger } from './ledger.ts';
import { examine, storedGraph, verified } from './oracle.ts';
import { seeded, SEED } from './seed.ts';
import { listening } from './server-process.ts';
import { Writer } from './writer.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-backup-'));
const data = join(root, 'data');
const backup = join(root, 'backups', 'one.sqlite');
const restored = join(root, 'restored');
const OWNER = ownerId('local');
/** Acknowledged before the backup began. */
const before = new Ledger();

afterAll(() => rmSync(root, { recursive: true, force: true }));

async function writeUntil(writer: Writer, client: BrainClient, isDone: () => boolean): Promise<number> {
  let writes = 0;
  for (; !isDone(); writes++) await writer.write(client);
  return writes;
}

async function logOf(
  dataDir: string,
): Promise<{ readonly head: Head; readonly events: readonly LoggedEvent[] }> {
  const source = sqliteVerifySource(join(dataDir, 'brain2.sqlite'), () => 0);
  try {
    return await source.atRest(OWNER, async ({ reader }) => {
      const head = (await readHead(reader, OWNER)) as Head;
      return { head, events: (await readChanges(reader, OWNER, { seq: 0 }, head.seq)).events };
    });
  } finally {
    await source.close();
  }
}

/** What a log leads to. */
function graphOf(events: readonly LoggedEvent[]) {
  const nodes = new Map<string, Node>();
  const edges = new Map<string, Edge>();
  const keep = <T>(all: Map<string, T>, id: string, state: T | undefined) =>
    state === undefined ? all.delete(id) : all.set(id, state);
  for (const { event } of events) {
    if ('nodeId' in event) keep(nodes, event.nodeId, applyNodeEvent(nodes.get(event.nodeId), event));
    else if ('edgeId' in event) keep(edges, event.edgeId, applyEdgeEvent(edges.get(event.edgeId), event));
  }
  return { nodes, edges };
}

describe('a backup that was made while others wrote', () => {
  it('is made beside a server, which goes on, and which it and a check leave alone', async () => {
    const server = await listening(data);
    const client = brainClient(httpTransport(server.url));
    const early = new Writer(before, seeded(SEED));
    for (let write = 0; write < 60; write++) await early.write(client);
    let isDone = false;
    const writers = [1, 2, 3, 4].map((number) => new Writer(new Ledger(), seeded(SEED * 100 + number)));
    const writing = Promise.all(writers.map((writer) => writeUntil(writer, client, () => isDone)));
    const made = await brain2(['backup', backup, '--json'], { data });
    isDone = true;
    const writes = (await writing).reduce((sum, count) => sum + count, 0);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(writes).toBeGreaterThan(writers.length); // more than were under way when it began
    const again = await brain2(['verify'], { data }); // beside the server
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('as it was written') as string });
    expect(await brain2(['restore', backup, '--force'], { data })).toMatchObject({ code: 4 });
    await server.stop();
  });

  it('is one file, and is restored to the graph of one moment, with all that was acknowledged before', async () => {
    expect(readdirSync(join(root, 'backups'))).toEqual(['one.sqlite']);
    expect(statSync(backup).mode & 0o777).toBe(0o600); // it has all that its data folder has
    const done = await brain2(['restore', backup, '--json'], { data: restored });
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(await verified(restored)).toEqual([]);
    const [original, copy] = [await logOf(data), await logOf(restored)];
    expect(copy.head.seq).toBeLessThan(original.head.seq);
    expect(copy.events).toEqual(original.events.slice(0, copy.head.seq));
    expect(await storedGraph(restored)).toEqual(graphOf(original.events.slice(0, copy.head.seq)));
    expect(await examine(restored, before.expectations)).toEqual([]);
  });

  it('begins a new epoch: from a position of before nobody reads on', async () => {
    const { head } = await logOf(data);
    expect((await logOf(restored)).head.epoch).not.toBe(head.epoch);
    const { client, close } = await connect(readSettings({}, { dataDir: restored }));
    await expect(client.changes({ epoch: head.epoch, seq: 1 })).rejects.toMatchObject({
      problem: { code: 'position_gone', details: { reason: 'epoch_changed' } },
    });
    await close();
  });

  it('is restored over another graph only when that is asked for, and then keeps it beside', async () => {
    const refused = await brain2(['restore', backup], { data: restored });
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('is not empty') as string });
    expect(refused.stderr).toContain('--force');
    const { client, close } = await connect(readSettings({}, { dataDir: restored }));
    const later = await client.nodes.create({ title: 'Later', content: 'written after the backup' });
    await close();
    const forced = await brain2(['restore', backup, '--force', '--json'], { data: restored });
    const { replaced } = JSON.parse(forced.stdout) as { readonly replaced: string };
    expect(await verified(restored)).toEqual([]);
    expect((await storedGraph(restored)).nodes.has(later.id as NodeId)).toBe(false);
    expect((await storedGraph(replaced)).nodes.has(later.id as NodeId)).toBe(true);
  });

  it('is refused when it is damaged, and nothing is changed', async () => {
    const bytes = readFileSync(backup);
    bytes.write('chanced', bytes.lastIndexOf('written'));
    const damaged = join(root, 'backups', 'damaged.sqlite');
    writeFileSync(damaged, bytes);
    expect(await brain2(['verify', damaged], {})).toMatchObject({ code: 1 });
    const { events } = await logOf(restored);
    const refused = await brain2(['restore', damaged, '--force', '--json'], { data: restored });
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'corrupt' } });
    expect((await logOf(restored)).events).toEqual(events);
    expect(readdirSync(restored).filter((name) => name.includes('restoring'))).toEqual([]);
  });

  it('is not written over, nor is anything that is no database taken for one', async () => {
    expect(await brain2(['backup', backup], { data })).toMatchObject({ code: 4 });
    const folder = await brain2(['backup', join(root, 'backups'), '--force'], { data });
    expect(folder).toMatchObject({ code: 4, stderr: expect.stringContaining('is a folder') as string });
    const other = join(root, 'other.txt');
    writeFileSync(other, 'not a database, but long enough to be looked at as if it were one'.repeat(40));
    expect(await brain2(['restore', other], { data: join(root, 'new') })).toMatchObject({ code: 1 });
    expect(await brain2(['restore', join(root, 'nowhere')], { data: join(root, 'new') })).toMatchObject({
      code: 3,
    });
    expect((await brain2(['restore', backup], { data: join(root, 'new') })).code).toBe(0); // the folder was left empty
  });
});
