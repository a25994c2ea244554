import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BrainError, isBrainError } from '../../domain/error.ts';
import { holds } from '../table.ts';
import { Ballast } from './ballast.ts';
import { OpReader, type PackedOps } from './packed-ops.ts';
import { checksum, isAlive, openConnection, rows, type ConnectionOptions } from './sqlite-connection.ts';
import { storageError } from './sqlite-error.ts';

/** Transactions of one caller, to be applied in order up to the first whose condition does not hold. */
export interface Series {
  readonly transactions: readonly PackedOps[];
  /** For `ttl`. */
  readonly nowSeconds: number;
}

export interface SeriesOutcome {
  readonly applied: number;
  /** The place of the operation whose condition stopped the next transaction. */
  readonly refusedAt?: number | undefined;
}

/** Rows that one step of a sweep removes: others' writes wait for it. */
const SWEPT_AT_ONCE = 500;

/** Pages of the log after which it is copied into the database: 4 MB take about 10 ms. */
const CHECKPOINT_PAGES = 1_000;

/** With so many pages free in the database, 8 MB, it need not grow. */
const FREE_PAGES = 2_000;

/** The one connection that writes: each group of series is one commit, synced before it returns. */
export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #del: StatementSync;
  readonly #version: StatementSync;
  readonly #sweep: StatementSync;
  readonly #logSize: StatementSync;
  readonly #size: StatementSync;
  readonly #freePages: StatementSync;
  readonly #ballast: Ballast | undefined;
  readonly #checkpointPages: number;
  /** While the ballast is let go: what the disk said. */
  #full: BrainError | undefined;
  /** Of what was applied, the growth in characters; counted on a full disk alone. */
  #growth = 0;
  /** Set when the disk failed: what is on it is no longer known, so nothing more is acknowledged. */
  #failed: BrainError | undefined;

  constructor(options: ConnectionOptions) {
    this.#database = openConnection(options);
    this.#database.exec('PRAGMA wal_autocheckpoint = 0');
    this.#checkpointPages = options.checkpointPages ?? CHECKPOINT_PAGES;
    this.#logSize = rows(this.#database, 'PRAGMA wal_checkpoint(NOOP)');
    this.#version = rows(this.#database, 'SELECT ver, ttl FROM item WHERE pk = ? AND sk = ?');
    this.#size = rows(this.#database, 'SELECT length(j) FROM item WHERE pk = ? AND sk = ?');
    this.#freePages = rows(this.#database, 'PRAGMA freelist_count');
    this.#ballast = options.ballastPath === undefined ? undefined : new Ballast(options.ballastPath);
    this.#put = this.#database.prepare(
      `INSERT INTO item (pk, sk, et, ver, ttl, j, sum) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (pk, sk) DO UPDATE SET et = excluded.et, ver = excluded.ver, ttl = excluded.ttl, j = excluded.j,
         sum = excluded.sum`,
    );
    this.#del = this.#database.prepare('DELETE FROM item WHERE pk = ? AND sk = ?');
    this.#sweep = this.#database.prepare(
      'DELETE FROM item WHERE rowid IN (SELECT rowid FROM item WHERE ttl <= ? LIMIT ?)',
    );
  }

  /**
   * Throws what the table contract names; then nothing of the group is applied, but for a `timeout`: the disk failed
   * under the commit. From then on all is refused as `read_only`. On a full disk the ballast is let go, and until there
   * is room again only a group that leaves less than it found is committed.
   */
  commit(group: readonly Series[]): readonly SeriesOutcome[] {
    const apply = () => group.map((series) => this.#applySeries(series));
    if (this.#full && this.#hasRoom()) this.#full = undefined;
    if (!this.#full) {
      try {
        return this.#committed(apply);
      } catch (error) {
        if (!isBrainError(error, 'storage_full') || !this.#ballast?.letGo()) throw error;
        this.#full = error;
        this.checkpoint();
      }
    }
    const full = this.#full;
    return this.#committed(() => {
      this.#growth = 0;
      const outcomes = apply();
      if (this.#growth >= 0) throw full;
      return outcomes;
    });
  }

  #hasRoom(): boolean {
    if (this.#ballast?.make() === true) return true;
    const [pages] = this.#freePages.get() as unknown as [number];
    return pages >= FREE_PAGES;
  }

  /** Removes some of the rows whose time is over, which no reader sees any more. Gives how many; 0 when none is left. */
  sweep(nowSeconds: number): number {
    return this.#committed(() => Number(this.#sweep.run(nowSeconds, SWEPT_AT_ONCE).changes));
  }

  /**
   * Copies the log into the database when it has grown long, or must not. Called when those who wrote are answered: as a
   * part of their commits, which SQLite would make of it, each thirtieth write would wait for it.
   */
  checkpoint(): void {
    if (!this.#full) this.#ballast?.make();
    try {
      const [, pages, copied] = this.#logSize.get() as unknown as [
        isBusy: number,
        pages: number,
        copied: number,
      ];
      if (pages - copied >= (this.#full ? 1 : this.#checkpointPages))
        this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch (error) {
      const failure = storageError(error, 'table.checkpoint');
      if (failure.details['lost'] === true) this.#fail(failure); // else the log is kept, and copied the next time
    }
  }

  close(): void {
    this.#database.close();
  }

  #committed<T>(apply: () => T): T {
    if (this.#failed) throw this.#failed;
    let isSyncing = false;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const applied = apply();
      isSyncing = true;
      this.#database.exec('COMMIT');
      return applied;
    } catch (error) {
      const failure = storageError(error, 'table.transact');
      const isLost = failure.details['lost'] === true;
      if (isLost) this.#fail(failure);
      this.#rollback();
      // Its frames may stand in the log all the same, and be found by the next who opens it.
      if (isLost && isSyncing) throw unknown(failure);
      throw failure;
    }
  }

  /** If even that fails, what is on disk is not known any more. */
  #rollback(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch (error) {
      this.#fail(storageError(error, 'table.rollback'));
    }
  }

  #fail(cause: BrainError): void {
    this.#failed ??= new BrainError(
      'read_only',
      `nothing is written until this is started anew: ${cause.message}`,
      {
        cause,
        operation: 'table.transact',
      },
    );
  }

  #applySeries({ transactions, nowSeconds }: Series): SeriesOutcome {
    for (const [applied, ops] of transactions.entries()) {
      const refusedAt = this.#firstRefused(ops, nowSeconds);
      if (refusedAt !== undefined) return { applied, refusedAt };
      this.#apply(ops);
    }
    return { applied: transactions.length };
  }

  #firstRefused(ops: PackedOps, nowSeconds: number): number | undefined {
    for (const op = new OpReader(ops); op.next();) {
      const { condition } = op;
      if (condition !== undefined && !holds(condition, this.#find(op.pk, op.sk, nowSeconds))) return op.index;
    }
    return undefined;
  }

  /** The version of an item that is there; its payload is not read. */
  #find(pk: string, sk: string, nowSeconds: number): { readonly ver?: number | undefined } | undefined {
    const row = this.#version.get(pk, sk) as unknown as [ver: number | null, ttl: number | null] | undefined;
    return row && isAlive(row[1], nowSeconds) ? { ver: row[0] ?? undefined } : undefined;
  }

  #sizeOf(pk: string, sk: string): number {
    const row = this.#size.get(pk, sk) as unknown as [length: number] | undefined;
    return row?.[0] ?? 0;
  }

  #apply(ops: PackedOps): void {
    for (const op = new OpReader(ops); op.next();) {
      const { kind, pk, sk } = op;
      if (this.#full && kind !== 'check') this.#growth -= this.#sizeOf(pk, sk);
      if (kind === 'del') this.#del.run(pk, sk);
      if (kind !== 'put') continue;
      const { et, ver, ttl, j } = op;
      this.#growth += j.length;
      this.#put.run(pk, sk, et, ver, ttl, j, checksum(pk, sk, et, ver, ttl, j));
    }
  }
}

function unknown(cause: BrainError): BrainError {
  return new BrainError('timeout', `whether it was written is not known: ${cause.message}`, {
    cause,
    operation: 'table.transact',
  });
}
