import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrainClient } from '../../src/client/http-client.ts';
import { connect } from '../../src/server/connect.ts';
import { readSettings } from '../../src/server/settings.ts';
import { verify } from '../../src/server/verify.ts';
import { vaultNotes } from './notes.ts';
import { examine, storedGraph, verified, type Expectation } from './oracle.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-oracle-test-'));
const sound = join(root, 'sound');
const early = join(root, 'early.idx');
const expectations: Expectation[] = [];
const PAGE_BYTES = 4096;

beforeAll(async () => {
  await using(sound, async (client) => {
    for await (const event of client.import(vaultNotes(60, 1), { collection: 'vault' })) {
      if (event.type === 'item')
        expectations.push({ kind: 'nodes', id: event.nodeId ?? '', anyOf: [{ version: 1 }] });
    }
  });
  copyFileSync(join(sound, 'index', 'local.idx'), early);
  await using(sound, async (client) => {
    const created = await client.nodes.create({ title: 'Drawn', content: 'to be changed', tags: ['drawn'] });
    const changed = await client.nodes.patch(created.id, { content: 'as it was changed' }, created.version);
    const other = await client.nodes.create({ title: 'Other', content: 'to be connected' });
    const edge = await client.edges.create({ sourceId: created.id, targetId: other.id });
    const category = await client.categories.create({ title: 'Kept' });
    await client.tokens.create({ name: 'a key' });
    await client.linker.start({ dryRun: true });
    const gone = await client.nodes.create({ title: 'Gone', content: 'to be deleted' });
    await client.nodes.delete(gone.id, gone.version);
    expectations.push(
      { kind: 'nodes', id: created.id, anyOf: [{ content: 'as it was changed', version: changed.version }] },
      { kind: 'nodes', id: gone.id, anyOf: ['gone'] },
      { kind: 'edges', id: edge.id, anyOf: [{ sourceId: created.id, targetId: other.id, weight: 1 }] },
      { kind: 'categories', id: category.id, anyOf: [{ title: 'Kept' }] },
    );
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function using(dataDir: string, work: (client: BrainClient) => Promise<void>): Promise<void> {
  const connection = await connect(readSettings({}, { dataDir }));
  await work(connection.client);
  await connection.close();
}

function copied(name: string): string {
  const copy = join(root, name);
  cpSync(sound, copy, { recursive: true });
  return copy;
}

describe('brain2 verify', () => {
  it('finds nothing wrong with a sound folder', async () => {
    expect(await examine(copied('as it is'), expectations)).toEqual([]);
  });

  const one = (pk: string, sk: string) =>
    `(SELECT min(rowid) FROM item WHERE pk = '${pk}' AND sk GLOB '${sk}')`;
  // Every statement leaves rows with right checksums and a database that SQLite itself finds sound.
  it.each([
    [
      'an edge',
      `DELETE FROM item WHERE rowid = ${one('local#E', 'O#*')}`,
      /state local#E ID#.* is not there/,
    ],
    [
      'the reverse of an edge',
      `DELETE FROM item WHERE rowid = ${one('local#E', 'I#*')}`,
      /I#.* is not there/,
    ],
    ['the id of an edge', `DELETE FROM item WHERE rowid = ${one('local#E', 'ID#*')}`, /ID#.* is not there/],
    ['a note', `DELETE FROM item WHERE rowid = ${one('local#N', '*')}`, /state local#N .* is not there/],
    ['a tag of a note', `DELETE FROM item WHERE rowid = ${one('local#T', '*')}`, /local#T .* is not there/],
    ['a source key', `DELETE FROM item WHERE rowid = ${one('local#SRC', '*')}`, /local#SRC .* is not there/],
    [
      'a category',
      `DELETE FROM item WHERE rowid = ${one('local#CT', '*')}`,
      /state local#CT .* is not there/,
    ],
    ['the head', `DELETE FROM item WHERE pk = 'local' AND sk = 'META'`, /owner local has no head/],
    ['the first events', `DELETE FROM item WHERE rowid = ${one('local#EV', '*')}`, /the log goes from 0 to/],
    [
      'the last events',
      `DELETE FROM item WHERE pk = 'local#EV' AND sk = (SELECT max(sk) FROM item WHERE pk = 'local#EV')`,
      /log local META: the head says/,
    ],
    [
      'the word of a note',
      `UPDATE item SET j = replace(j, 'changed', 'chanced') WHERE pk = 'local#N' AND j LIKE '%changed%'`,
      /state local#N .* is not what the log leads to: content/,
    ],
    [
      'the count of notes',
      `UPDATE item SET j = json_set(j, '$.counts.nodes', 3) WHERE pk = 'local' AND sk = 'META'`,
      /counts local META: says {"nodes":3,/,
    ],
    [
      'the version of a note',
      `UPDATE item SET ver = ver + 1 WHERE rowid = ${one('local#N', '*')}`,
      /row local#N .* stands at version 2, what it holds at 1/,
    ],
    [
      'the place of a note',
      `UPDATE item SET sk = 'elsewhere' WHERE rowid = ${one('local#N', '*')}`,
      /row local#N elsewhere: holds what belongs under local#N /,
    ],
    [
      'where a source key points',
      `UPDATE item SET j = (SELECT j FROM item WHERE rowid = (SELECT max(rowid) FROM item WHERE pk = 'local#SRC'))
       WHERE rowid = ${one('local#SRC', '*')}`,
      /index_row local#SRC .* is "01.*, and should be "01/,
    ],
    [
      'an edge that no event made',
      `INSERT INTO item SELECT pk, 'ID#' || lower(hex(randomblob(16))), et, ver, ttl, j, sum FROM item
       WHERE rowid = ${one('local#E', 'ID#*')}`,
      /index_row local#E ID#.* belongs to nothing that is stored/,
    ],
    ['the hash of a token', `DELETE FROM item WHERE pk LIKE 'TOK#%'`, /index_row TOK#.* is not there/],
  ])('sees it when %s is taken or changed behind the back', async (name, sql, complaint) => {
    const dataDir = copied(name);
    change(dataDir, sql);
    expect((await verified(dataDir)).join('\n')).toMatch(complaint);
  });

  const trim = (events: number) =>
    `UPDATE item SET j = json_set(j, '$.floorSeq', CAST((SELECT sk FROM item WHERE pk = 'local#EV'
       ORDER BY sk LIMIT 1 OFFSET ${events - 1}) AS INTEGER)) WHERE pk = 'local' AND sk = 'META';
     DELETE FROM item WHERE rowid IN (SELECT rowid FROM item WHERE pk = 'local#EV' ORDER BY sk LIMIT ${events})`;
  const transactions = () => {
    const database = new DatabaseSync(join(sound, 'brain2.sqlite'), { readOnly: true });
    const { n } = database.prepare(`SELECT count(*) AS n FROM item WHERE pk = 'local#EV'`).get() as {
      n: number;
    };
    database.close();
    return n;
  };

  it('takes a log that was trimmed anywhere, and still sees that its end is not what is stored', async () => {
    const all = transactions();
    for (const events of new Set([1, Math.floor(all / 2), all - 6, all - 1])) {
      const dataDir = copied(`trimmed ${events}`);
      change(dataDir, trim(events));
      expect({ events, problems: await verified(dataDir) }).toEqual({ events, problems: [] });
    }
    const dataDir = copied('trimmed and changed');
    change(dataDir, trim(1));
    change(dataDir, `UPDATE item SET j = replace(j, 'as it was changed', 'otherwise') WHERE pk = 'local#N'`);
    expect((await verified(dataDir)).join('\n')).toMatch(/is not what the log leads to: content/);
  });

  it('sees an edge whose end is gone from log and state alike', async () => {
    const dataDir = copied('an end');
    const { edges } = await storedGraph(dataDir);
    const id = [...edges.values()][0]?.targetId ?? '';
    change(dataDir, `DELETE FROM item WHERE pk IN ('local#N', 'local#NU') AND sk LIKE '%${id}'`);
    change(dataDir, `UPDATE item SET j = without(j, '${id}') WHERE pk = 'local#EV'`);
    expect((await verified(dataDir)).join('\n')).toMatch(new RegExp(`has no end ${id}`));
  });

  it.each([
    ['a note', 'local#N', 'changed', 'chanced'],
    ['a job', 'local#J', 'relink', 'relinc'],
  ])('sees a row of %s that is not what was written', async (what, pk, from, to) => {
    const dataDir = copied(`a row of ${what}`);
    const database = new DatabaseSync(join(dataDir, 'brain2.sqlite'));
    database.prepare('UPDATE item SET j = replace(j, ?, ?) WHERE pk = ?').run(from, to, pk);
    database.close();
    expect((await verified(dataDir)).join('\n')).toMatch(/checksum is another/);
  });

  it('sees a file that SQLite itself finds unsound, and tells what mends it', async () => {
    const dataDir = copied('a file');
    const path = join(dataDir, 'brain2.sqlite');
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4 * PAGE_BYTES, 12 * PAGE_BYTES);
    writeFileSync(path, bytes);
    const { ok, problems } = await verify(readSettings({}, { dataDir }));
    expect(ok).toBe(false);
    expect(problems.find(({ kind }) => kind === 'engine')?.fix).toMatch(/brain2 restore/);
  });

  it('sees it when what was acknowledged is not there, or is another', async () => {
    const dataDir = copied('acknowledged');
    const [first, second] = expectations;
    await using(dataDir, (client) => client.nodes.delete(first?.id ?? '', 1));
    const other: Expectation = { kind: 'nodes', id: second?.id ?? '', anyOf: [{ title: 'Another' }, 'gone'] };
    const complaints = await examine(dataDir, [first!, other]);
    expect(complaints).toHaveLength(2);
    expect(complaints[0]).toMatch(/is "gone", told was/);
    expect(complaints[1]).toMatch(/told was \[\{"title":"Another"\},"gone"\]/);
  });

  it('sees an index that lacks what the log has', async () => {
    const dataDir = copied('an index');
    const path = join(dataDir, 'index', 'local.idx');
    writeFileSync(path, withHeader(readFileSync(early), headerOf(readFileSync(path))));
    const complaints = await examine(dataDir, []);
    expect(complaints.join('\n')).toMatch(/index of local: lacks/);
  });
});

/** Runs the statement, and makes the checksums right again. */
function change(dataDir: string, sql: string): void {
  const database = new DatabaseSync(join(dataDir, 'brain2.sqlite'));
  database.function('crc32', (text) => crc32(String(text)));
  database.function('without', withoutEventsOf);
  database.exec(sql);
  database.exec(
    `UPDATE item SET sum = crc32(pk || char(10) || sk || char(10) || et || char(10) || ifnull(ver, '') || char(10)
       || ifnull(ttl, '') || char(10) || j)`,
  );
  database.close();
}

/** An item of the log without what happened to one note. */
function withoutEventsOf(text: unknown, id: unknown): string {
  const { events } = JSON.parse(String(text)) as { events: { event: { nodeId?: string } }[] };
  return JSON.stringify({ events: events.filter(({ event }) => event.nodeId !== id) });
}

const LENGTH_BYTES = 4;
/** The index behind the header is read in words of this size. */
const WORD_BYTES = 4;

/** What a snapshot says of itself, as JSON: among it the position in the log that it claims. */
function headerOf(snapshot: Buffer): string {
  return snapshot.toString('utf8', LENGTH_BYTES, LENGTH_BYTES + snapshot.readUInt32LE(0));
}

function withHeader(snapshot: Buffer, header: string): Buffer {
  const text = Buffer.from(header.padEnd(Math.ceil(header.length / WORD_BYTES) * WORD_BYTES));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, snapshot.subarray(LENGTH_BYTES + snapshot.readUInt32LE(0))]);
}
