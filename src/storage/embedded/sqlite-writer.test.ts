import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { BrainError } from '../../domain/error.ts';
import type { Item, Op } from '../table.ts';
import { packOps } from './packed-ops.ts';
import { SqliteTable, type SqliteOptions } from './sqlite-table.ts';
import { SqliteWriter } from './sqlite-writer.ts';

const newPath = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'brain2-writer-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'brain2.db');
};

function open(options: SqliteOptions): SqliteTable {
  const table = new SqliteTable(options);
  onTestFinished(() => table.close());
  return table;
}

const item = (sk: string, text = sk, ttl?: number): Item => ({
  pk: 'p',
  sk,
  et: 'test.1',
  j: JSON.stringify(text),
  ...(ttl !== undefined && { ttl }),
});
const put = (...items: readonly Item[]): readonly Op[] => items.map((put) => ({ put }));
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

/** The sort keys that are stored, to a connection that knows nothing of us. */
function stored(path: string): unknown[] {
  const database = new DatabaseSync(path);
  try {
    return database
      .prepare('SELECT sk FROM item ORDER BY sk')
      .all()
      .map((row) => row['sk']);
  } finally {
    database.close();
  }
}

describe('a sweep', () => {
  test('[ST10] removes what is past its time and nothing else, also more than goes in one commit', async () => {
    const path = newPath();
    const table = open({ path, nowSeconds: () => 100 });
    const many = Array.from({ length: 1_200 }, (_, n) => item(`old${n}`, 'x', 100));
    for (let from = 0; from < many.length; from += 100) {
      await table.transact([put(...many.slice(from, from + 100))]);
    }
    await table.transact([put(item('for ever'), item('still', 'x', 101))]);
    expect([await table.sweep(), await table.sweep()]).toEqual([1_200, 0]);
    expect(stored(path)).toEqual(['for ever', 'still']);
  });
});

describe('the thread that writes', () => {
  /** The table, its thread of the moment, and what was told of lost ones. */
  async function watched() {
    const workers: Worker[] = [];
    const onWorker = (worker: Worker): void => void workers.push(worker);
    process.on('worker', onWorker);
    onTestFinished(() => void process.off('worker', onWorker));
    const told: Error[] = [];
    const path = newPath();
    const table = open({ path, onWriterLost: (reason) => told.push(reason) });
    await table.transact([put(item('first'))]);
    return { path, table, told, kill: () => workers.at(-1)!.terminate() };
  }

  /** Writes until the thread is lost under the nth; gives what was acknowledged, and what the nth came to. */
  async function writeUntilLost(table: SqliteTable, kill: () => Promise<number>, nth: number) {
    for (let write = 1; write < nth; write++) await table.transact([put(...filled(write))]);
    const written = table.transact([put(...filled(nth))]);
    const killed = kill();
    const became = await written.then(
      () => 'acknowledged',
      (error: unknown) => (error as BrainError).code,
    );
    await killed;
    return became;
  }

  const filled = (write: number): readonly Item[] =>
    Array.from({ length: 100 }, (_, n) => item(`w${write} ${n}`, 'x'.repeat(20_000)));

  test.each([1, 2, 4])(
    '[ST51] lost under write %d: that one is `timeout` unless it was done or not begun, and after a look through the file it goes on',
    async (nth) => {
      const { table, told, kill } = await watched();
      const became = await writeUntilLost(table, kill, nth);
      expect(['acknowledged', 'timeout', 'unavailable']).toContain(became);
      expect(table.canWrite).toBe(false);
      await vi.waitFor(() => expect(told).toHaveLength(1));
      expect(await table.get(item('first'))).toEqual(item('first'));

      await vi.waitFor(
        async () => expect(await table.transact([put(item('after'))])).toEqual({ applied: 1 }),
        {
          timeout: 20_000,
        },
      );
      expect(table.canWrite).toBe(true);
      const found = (await table.query('p', { prefix: 'w' })).items.length / 100;
      const possible = { acknowledged: [nth], timeout: [nth - 1, nth], unavailable: [nth - 1] }[
        became as 'timeout'
      ];
      expect(possible).toContain(found); // the nth whole or not at all
      expect(told).toHaveLength(1);
    },
  );

  test('[ST51] one that is lost as soon as it was started is not started again at once', async () => {
    const { table, kill } = await watched();
    await vi.waitFor(
      async () => {
        await kill();
        await expect(table.transact([put(item('again'))])).rejects.toThrow(code('unavailable'));
      },
      { timeout: 20_000 },
    );
  });

  test('[ST51] the one after it writes nothing into a file that is damaged', async () => {
    const { path, table, kill } = await watched();
    for (let write = 0; write < 3; write++) await table.transact([put(...filled(write))]);
    await kill();
    const other = new DatabaseSync(path);
    other.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    other.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4_096 * 20, 4_096 * 21);
    writeFileSync(path, bytes);
    await vi.waitFor(() => expect(table.transact([put(item('after'))])).rejects.toThrow(code('corrupt')), {
      timeout: 20_000,
    });
  });

  test.each(['COMMIT', 'BEGIN IMMEDIATE'])(
    '[ST52] once the disk has failed, at %s, nothing more is acknowledged',
    (failing) => {
      const path = newPath();
      const writer = new SqliteWriter({ path });
      onTestFinished(() => writer.close());
      const series = (sk: string) => [{ transactions: [packOps(put(item(sk)))], nowSeconds: 0 }];
      expect(writer.commit(series('before'))).toEqual([{ applied: 1 }]);

      const exec = DatabaseSync.prototype.exec;
      vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql: string) {
        if (sql === failing) throw Object.assign(new Error('disk I/O error'), { errcode: 1_034 }); // SQLITE_IOERR_FSYNC
        exec.call(this, sql);
      });
      // Whether a commit whose sync failed will be found is not known; before it, it is.
      const first = failing === 'COMMIT' ? 'timeout' : 'unavailable';
      expect(() => writer.commit(series('failed'))).toThrow(code(first));
      vi.restoreAllMocks();
      expect(() => writer.commit(series('after'))).toThrow(code('read_only'));
      expect(() => writer.sweep(0)).toThrow(code('read_only'));
      expect(stored(path)).toEqual(['before']);
    },
  );
});
