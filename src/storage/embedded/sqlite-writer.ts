import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { BrainError } from '../../domain/error.ts';
import { holds } from '../table.ts';
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

/** The one connection that writes: each group of series is one commit, synced before it returns. */
export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #del: StatementSync;
  readonly #version: StatementSync;
  /** Set when a sync failed: what is on disk is no longer known, so nothing more is acknowledged. */
  #failed: BrainError | undefined;

  constructor(options: ConnectionOptions) {
    this.#database = openConnection(options);
    this.#version = rows(this.#database, 'SELECT ver, ttl FROM item WHERE pk = ? AND sk = ?');
    this.#put = this.#database.prepare(
      `INSERT INTO item (pk, sk, et, ver, ttl, j, sum) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (pk, sk) DO UPDATE SET et = excluded.et, ver = excluded.ver, ttl = excluded.ttl, j = excluded.j,
         sum = excluded.sum`,
    );
    this.#del = this.#database.prepare('DELETE FROM item WHERE pk = ? AND sk = ?');
  }

  /** Throws what the table contract names; then nothing of the group is applied. */
  commit(group: readonly Series[]): readonly SeriesOutcome[] {
    if (this.#failed) throw this.#failed;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const outcomes = group.map((series) => this.#applySeries(series));
      this.#database.exec('COMMIT');
      return outcomes;
    } catch (error) {
      const failure = storageError(error, 'table.transact');
      if (failure.details['lost'] === true) this.#failed = failure;
      this.#rollback();
      throw failure;
    }
  }

  close(): void {
    this.#database.close();
  }

  /** If even that fails, what is on disk is not known any more. */
  #rollback(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch (error) {
      this.#failed = storageError(error, 'table.rollback');
    }
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

  #apply(ops: PackedOps): void {
    for (const op = new OpReader(ops); op.next();) {
      const { kind, pk, sk } = op;
      if (kind === 'del') this.#del.run(pk, sk);
      if (kind !== 'put') continue;
      const { et, ver, ttl, j } = op;
      this.#put.run(pk, sk, et, ver, ttl, j, checksum(pk, sk, et, ver, ttl, j));
    }
  }
}
