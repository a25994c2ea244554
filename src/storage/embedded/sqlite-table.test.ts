import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCategory, CategoryTree } from '../../domain/category.ts';
import { createEdge } from '../../domain/edge.ts';
import { createNode } from '../../domain/node.ts';
import { categoryId, edgeId, instant, nodeId, ownerId } from '../../domain/values.ts';
import { Store } from '../store.ts';
import type { Item, Op } from '../table.ts';
import { SqliteTable, type SqliteOptions } from './sqlite-table.ts';

const WRITER = join(import.meta.dirname, '../../../test/support/table-writer.ts');

let folder: string;
let path: string;
const opened: SqliteTable[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brain2-embedded-'));
  path = join(folder, 'brain2.db');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(opened.splice(0).map((table) => table.close()));
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

function open(options: Partial<SqliteOptions> = {}): SqliteTable {
  const table = new SqliteTable({ path, ...options });
  opened.push(table);
  return table;
}

const item = (sk: string, text = sk, more: Partial<Item> = {}): Item => ({
  pk: 'p',
  sk,
  et: 'test.1',
  j: JSON.stringify(text),
  ...more,
});
const put = (...items: readonly Item[]): readonly Op[] => items.map((put) => ({ put }));

/** Through a connection that knows nothing of us. */
function plain<T>(work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** How many commits the write-ahead log holds: frames that tell the size of the database, https://sqlite.org/fileformat.html#the_write_ahead_log */
function commitsInLog(): number {
  const log = readFileSync(`${path}-wal`);
  const frameBytes = 24 + (log.length === 0 ? 0 : log.readUInt32BE(8));
  let commits = 0;
  for (let at = 32; at + frameBytes <= log.length; at += frameBytes)
    if (log.readUInt32BE(at + 4) > 0) commits++;
  return commits;
}

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

/** Runs the work as somebody whom file modes bind: they do not bind root. */
function asOrdinaryUser<T>(work: () => T): T {
  const user = process.geteuid?.();
  if (user !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('opening', () => {
  test('[ST40] a file that does not take synchronous = FULL is refused', () => {
    const exec = DatabaseSync.prototype.exec;
    vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql: string) {
      exec.call(this, sql.replace('synchronous = FULL', 'synchronous = NORMAL'));
    });
    expect(() => open()).toThrow(code('unavailable'));
    vi.restoreAllMocks();
    expect(() => open()).not.toThrow();
  });

  test('[ST41] a new file gets the schema and its number; opening it again changes nothing', async () => {
    await open().transact([put(item('a'))]);
    const facts = (): object =>
      plain((database) => ({
        ...database.prepare('PRAGMA user_version').get(),
        ...database.prepare('PRAGMA application_id').get(),
        ...database.prepare('PRAGMA journal_mode').get(),
        ...database
          .prepare(
            "SELECT group_concat(name) AS names FROM (SELECT name FROM sqlite_schema WHERE type <> 'index' ORDER BY name)",
          )
          .get(),
      }));
    const first = facts();
    expect(first).toEqual({
      user_version: 2,
      application_id: 0x42524e32,
      journal_mode: 'wal',
      names: 'category,edge,event,item,node',
    });
    expect(await open().get({ pk: 'p', sk: 'a' })).toEqual(item('a'));
    expect(facts()).toEqual(first);
  });

  test('[ST41] a migration that fails leaves the file as it was', () => {
    const exec = DatabaseSync.prototype.exec;
    vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql: string) {
      exec.call(this, sql.replace('CREATE VIEW event', 'CREATE VIEW edge')); // there already: fails in the middle
    });
    expect(() => open()).toThrow('already exists');
    vi.restoreAllMocks();
    expect(plain((database) => database.prepare('SELECT name FROM sqlite_schema').all())).toEqual([]);
    expect(plain((database) => database.prepare('PRAGMA user_version').get())).toEqual({ user_version: 0 });
    expect(() => open()).not.toThrow();
  });

  test('[ST41] a new file that another process made between the look at it and the lock is taken as it is', async () => {
    const exec = DatabaseSync.prototype.exec;
    let first = true;
    vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql: string) {
      if (first && sql.startsWith('BEGIN IMMEDIATE')) {
        first = false;
        open();
      }
      exec.call(this, sql);
    });
    await open().transact([put(item('a'))]);
    expect(first).toBe(false);
    expect(await opened[0]?.get({ pk: 'p', sk: 'a' })).toEqual(item('a'));
  });

  test('[ST41] processes may open a new file at once', async () => {
    const exits = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const child = spawn(process.execPath, [WRITER, path, '3'], { stdio: ['ignore', 'pipe', 'inherit'] });
        const [status] = (await once(child, 'exit')) as [number | null];
        return status;
      }),
    );
    expect(exits).toEqual([0, 0, 0, 0, 0]);
    expect((await open().query('written')).items).toHaveLength(6);
  });

  test.each(['wal', 'delete'])(
    '[ST42] a file of a newer schema (journal: %s) is refused, and not a byte changes',
    async (journal) => {
      const table = open();
      await table.transact([put(item('a'))]);
      await table.close();
      plain((database) => database.exec(`PRAGMA user_version = 3; PRAGMA journal_mode = ${journal};`));
      const before = readFileSync(path);
      expect(() => open()).toThrow(
        expect.objectContaining({ code: 'schema_newer', details: { found: 3, known: 2 } }),
      );
      expect(readFileSync(path).equals(before)).toBe(true);
    },
  );

  test.each([
    ['no database', () => writeFileSync(path, 'x'.repeat(5000))],
    ['a database of another program', () => plain((d) => d.exec('CREATE TABLE theirs (a)'))],
    [
      'a numbered one of another program',
      () => plain((d) => d.exec('CREATE TABLE theirs (a); PRAGMA user_version = 1')),
    ],
    ['one that names its program', () => plain((d) => d.exec('PRAGMA application_id = 7'))],
  ])('[ST49] %s is refused as corrupt, and not a byte of it changes', (_what, make) => {
    make();
    const before = readFileSync(path);
    expect(() => open()).toThrow(code('corrupt'));
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('[ST48] a folder that is not there, or is no folder for us, is read_only', () => {
    expect(() => open({ path: join(folder, 'none', 'brain2.db') })).toThrow(code('read_only'));
    mkdirSync(join(folder, 'a-folder'));
    expect(() => open({ path: join(folder, 'a-folder') })).toThrow(code('read_only'));
    chmodSync(folder, 0o555);
    expect(() => asOrdinaryUser(() => open())).toThrow(code('read_only'));
  });

  test('[ST48] a file that cannot be written is read_only: nothing is applied and nothing changes', async () => {
    const table = open();
    await table.transact([put(item('a'))]);
    await table.close();
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    const before = readFileSync(path);
    const attempt = (async () => {
      const unwritable = asOrdinaryUser(() => open());
      await unwritable.transact([put(item('b'))]);
    })();
    await expect(attempt).rejects.toThrow(code('read_only'));
    chmodSync(folder, 0o755);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe('stored rows', () => {
  test.each([
    ['the payload', "UPDATE item SET j = replace(j, 'secret', 'secreT') WHERE sk = 'b'"],
    ['the version', "UPDATE item SET ver = 8 WHERE sk = 'b'"],
    ['the type', "UPDATE item SET et = 'test.2' WHERE sk = 'b'"],
    ['the sort key', "UPDATE item SET sk = 'bb' WHERE sk = 'b'"],
    ['the partition', "UPDATE item SET pk = 'q' WHERE sk = 'b'"],
    ['the checksum', "UPDATE item SET sum = sum + 1 WHERE sk = 'b'"],
  ])('[ST43] a change of %s is answered with `corrupt`, never with what it is now', async (_what, sql) => {
    const table = open();
    await table.transact([put(item('a'), item('b', 'secret', { ver: 7 }), item('c'))]);
    expect(plain((database) => database.prepare(sql).run().changes)).toBe(1);
    const { pk, sk } = plain((database) =>
      database.prepare("SELECT pk, sk FROM item WHERE sk LIKE 'b%'").get(),
    ) as { pk: string; sk: string };
    await expect(table.get({ pk, sk })).rejects.toThrow(code('corrupt'));
    await expect(table.batchGet([{ pk, sk }])).rejects.toThrow(code('corrupt'));
    await expect(table.query(pk)).rejects.toThrow(code('corrupt'));
    expect(await table.get({ pk: 'p', sk: 'a' })).toEqual(item('a'));
  });

  test('[ST43] a bit flipped in the file is answered with `corrupt`', async () => {
    const table = open();
    await table.transact([put(item('a', 'x'.repeat(500)), item('b', 'needle'))]);
    await table.close();
    const bytes = readFileSync(path);
    const at = bytes.indexOf('needle');
    expect(at).toBeGreaterThan(0);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    await expect(open().get({ pk: 'p', sk: 'b' })).rejects.toThrow(code('corrupt'));
  });

  test('[ST47] a plain connection reads nodes, edges, categories and events from the views', async () => {
    const owner = ownerId('alice');
    const now = instant('2026-01-02T03:04:05.678Z');
    const store = new Store({
      table: open(),
      now: () => now,
      newEpoch: () => 'e',
      correlationId: () => 'call-1',
    });
    const [a, b] = ['1', '2'].map((n) => nodeId(`0190a7c4-5b3e-7000-8000-00000000000${n}`));
    if (!a || !b) throw new Error('two ids');
    await store.write(owner, async (tx) => {
      for (const id of [a, b]) {
        tx.nodes.apply(
          createNode({ title: `Note ${id.slice(-1)}`, content: 'text', tags: ['x'] }, { id, owner, now }),
        );
      }
      const ends = { source: { id: a, owner }, target: { id: b, owner } };
      tx.edges.apply(
        createEdge({ weight: 0.5 }, ends, { id: edgeId('0190a7c4-5b3e-7000-8000-000000000003'), now }),
      );
      const made = { id: categoryId('0190a7c4-5b3e-7000-8000-000000000004'), owner, now };
      tx.categories.apply(createCategory({ title: 'Health' }, new CategoryTree([]), made));
    });
    const all = (view: string): object[] =>
      plain((d) =>
        d
          .prepare(`SELECT * FROM ${view}`)
          .all()
          .map((row) => ({ ...row })),
      );
    const stamp = { owner: 'alice', created_at: now, updated_at: now, version: 1 };
    expect(all('node ORDER BY id')).toMatchObject(
      [a, b].map((id) => ({ ...stamp, id, title: `Note ${id.slice(-1)}`, content: 'text', tags: '["x"]' })),
    );
    expect(all('edge')).toMatchObject([
      { ...stamp, source_id: a, target_id: b, type: 'manual', weight: 0.5, status: 'accepted' },
    ]);
    expect(all('category')).toMatchObject([{ ...stamp, title: 'Health', parent_id: null }]);
    expect(all('event ORDER BY seq')).toMatchObject(
      ['node.created', 'node.created', 'edge.created', 'category.created'].map((type, n) => ({
        owner: 'alice',
        seq: n + 1,
        at: now,
        type,
        correlation_id: 'call-1',
      })),
    );
  });
});

describe('reading', () => {
  test('a transaction that SQLite has ended itself, as after a failed read, harms nobody', async () => {
    const table = open();
    await table.transact([[{ put: item('a') }]]);
    const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
    const reading = open();
    const database = prepare.mock.contexts[0] as DatabaseSync;
    expect(await reading.get(item('a'))).toEqual(item('a'));
    database.exec('ROLLBACK');
    await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
    expect(await reading.get(item('a'))).toEqual(item('a'));
  });
});

describe('writing', () => {
  test('[ST44] a full disk is storage_full: nothing is applied, reads and deletes go on, and writes once there is room', async () => {
    const table = open({ maxPages: 60 });
    const big = (n: number): Item => item(`k${n}`, 'x'.repeat(20_000));
    let kept = 0;
    const fill = async (): Promise<void> => {
      for (; kept < 100; kept++) await table.transact([put(big(kept))]);
    };
    await expect(fill()).rejects.toThrow(code('storage_full'));
    expect(kept).toBeGreaterThan(2);
    const series = table.transact([put(item('small')), put(big(200), big(201), big(202))]);
    await expect(series).rejects.toThrow(code('storage_full'));
    expect((await table.query('p')).items).toEqual(
      Array.from({ length: kept }, (_, n) => big(n)).toSorted((x, y) => (x.sk < y.sk ? -1 : 1)),
    );
    expect(await table.transact([[{ del: big(0) }, { del: big(1) }]])).toEqual({ applied: 1 });
    expect(await table.transact([put(big(300))])).toEqual({ applied: 1 });
    expect(await table.get(big(300))).toEqual(big(300));
  });

  test('[ST45] two connections see each other’s commits and refuse each other’s stale writes', async () => {
    const [one, two] = [open(), open()];
    const write = (table: SqliteTable, ver: number, over: number) =>
      table.transact([[{ put: item('a', `v${ver}`, { ver }), if: over === 0 ? 'absent' : { ver: over } }]]);
    expect(await write(one, 1, 0)).toEqual({ applied: 1 });
    expect(await write(two, 2, 1)).toEqual({ applied: 1 });
    expect((await write(one, 2, 1)).applied).toBe(0);
    expect((await one.get({ pk: 'p', sk: 'a' }))?.ver).toBe(2);
  });

  test('[ST13] calls of one turn share a commit; one that is refused does not touch the others', async () => {
    const table = open();
    const before = commitsInLog();
    const outcomes = await Promise.all([
      table.transact([put(item('a'))]),
      table.transact([[{ put: item('b'), if: 'exists' }]]),
      table.transact([[{ put: item('c'), if: 'absent' }], [{ check: item('a'), if: 'exists' }]]),
    ]);
    expect(outcomes.map((outcome) => outcome.applied)).toEqual([1, 0, 2]);
    expect(commitsInLog() - before).toBe(1);
    expect((await table.query('p')).items.map((i) => i.sk)).toEqual(['a', 'c']);
  });

  test('[ST14] what was called before closing is applied', async () => {
    const table = open();
    const writing = table.transact([put(item('a'))]);
    await table.close();
    expect(await writing).toEqual({ applied: 1 });
    expect(await open().get({ pk: 'p', sk: 'a' })).toEqual(item('a'));
  });

  test.each([4, 37, 150])(
    '[ST46] what a process had acknowledged when it was killed, at %d, is there',
    async (killAt) => {
      const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
      const acknowledged: number[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        if (line !== 'open') acknowledged.push(Number(line));
        if (acknowledged.length === killAt) child.kill('SIGKILL');
      }
      expect(child.signalCode ?? ((await once(child, 'exit')) as [null, string])[1]).toBe('SIGKILL');
      const { items } = await open().query('written');
      const stored = new Map(items.map((i) => [i.sk, JSON.parse(i.j) as { number: number }]));
      for (const number of acknowledged) expect(stored.get(`a${number}`)).toEqual({ number });
      expect(acknowledged.length).toBeGreaterThanOrEqual(killAt);
      // Whole or not at all, also what was under way: of each transaction both items or neither.
      const half = (letter: string): string[] =>
        [...stored.keys()].filter((sk) => sk.startsWith(letter)).map((sk) => sk.slice(1));
      expect(half('b')).toEqual(half('a'));
      expect(plain((database) => database.prepare('PRAGMA integrity_check').get())).toEqual({
        integrity_check: 'ok',
      });
    },
  );
});
