import { BrainError } from '../domain/error.ts';
import type { DomainEvent } from '../domain/event.ts';
import type { Instant, OwnerId, Position } from '../domain/values.ts';
import { checkOps } from './check-limits.ts';
import { keys } from './keys.ts';
import { advance, headItem, logItem, logText, type Head } from './log.ts';
import { OpSet } from './op-set.ts';
import { TABLE_LIMITS, type Condition, type Op } from './table.ts';
import type { Commit } from './transaction.ts';
import type { WorkChanges } from './unit-of-work.ts';

/** The head and the log item go with every transaction. */
const OWN_OPS = 2;
const LOG_OVERHEAD_BYTES = 1_000;

/** A piece of work and what its caller is to be told once everything that it saw is durable. */
export type Settled<W> =
  | { readonly work: W; readonly value: unknown }
  | { readonly work: W; readonly error: unknown };

export interface PackedTransaction<W> {
  readonly ops: readonly Op[];
  readonly commit?: Commit | undefined;
  readonly settled: readonly Settled<W>[];
}

interface Open<W> {
  readonly ops: OpSet;
  readonly events: DomainEvent[];
  /** The events as they will stand in the log, as JSON. */
  readonly bodies: string[];
  readonly settled: Settled<W>[];
  logBytes: number;
  opsBytes: number;
}

/**
 * Packs the changes of a round into as few transactions as the limits allow. Each holds whole pieces of work, one
 * log item for all of their events, and the owner's head under the condition that nobody else moved it.
 */
export class Round<W> {
  readonly #owner: OwnerId;
  readonly #transactions: PackedTransaction<W>[] = [];
  #head: Head;
  #seq: number;
  #open: Open<W> = blank();

  constructor(owner: OwnerId, head: Head) {
    this.#owner = owner;
    this.#head = head;
    this.#seq = head.seq;
  }

  /** The head that the transactions leave, once `transactions` has packed them. */
  get head(): Head {
    return this.#head;
  }

  /** Where the log will stand after what was added so far. */
  get position(): Position {
    return { epoch: this.#head.epoch, seq: this.#seq };
  }

  /** Throws `too_large` for work that does not fit in a transaction of its own; then nothing of it is kept. */
  add(
    change: WorkChanges,
    made: { readonly now: Instant; readonly correlationId: string },
    settled: Settled<W>,
  ): void {
    const opsBytes = checkOps(change.ops); // here, so that it is refused alone and not with the works beside it
    const bodies = change.events.map(({ json }, index) => logText(this.#seq + index + 1, made, json));
    const bytes = {
      log: bodies.reduce((sum, body) => sum + body.bytes + 1, LOG_OVERHEAD_BYTES),
      ops: opsBytes,
    };
    if (!fits(NOTHING, change.ops, bytes)) {
      throw new BrainError('too_large', 'the change is too large for one transaction', {
        operation: 'store.write',
        details: { operations: change.ops.length, bytes: bytes.ops, logBytes: bytes.log },
      });
    }
    if (!fits(this.#open, change.ops, bytes)) this.#close();
    for (const op of change.ops) this.#open.ops.set(op);
    for (const { event } of change.events) this.#open.events.push(event);
    for (const { text } of bodies) this.#open.bodies.push(text);
    this.#open.logBytes += bytes.log;
    this.#open.opsBytes += bytes.ops;
    this.#open.settled.push(settled);
    this.#seq += bodies.length;
  }

  /** Work that was refused: its caller hears of it once the state that refused it is durable. */
  refuse(settled: Settled<W>): void {
    this.#open.settled.push(settled);
  }

  transactions(): readonly PackedTransaction<W>[] {
    this.#close();
    return this.#transactions;
  }

  #close(): void {
    const { ops, events, bodies, settled } = this.#open;
    if (settled.length === 0) return;
    this.#open = blank();
    const before = this.#head;
    const unmoved: Condition = before.version === 0 ? 'absent' : { ver: before.version };
    if (ops.size === 0) {
      // Answers and refusals that changed nothing: they stand when the state that they saw is still the current one.
      this.#transactions.push({ ops: [{ check: keys.head(this.#owner), if: unmoved }], settled });
      return;
    }
    const after = advance(before, events);
    this.#head = after;
    const log: Op[] =
      events.length === 0 ? [] : [{ put: logItem(this.#owner, after.seq, bodies), if: 'absent' }];
    this.#transactions.push({
      ops: [{ put: headItem(this.#owner, after), if: unmoved }, ...log, ...ops.list],
      ...(events.length > 0 && {
        commit: { owner: this.#owner, epoch: after.epoch, from: before.seq + 1, to: after.seq, events },
      }),
      settled,
    });
  }
}

/** What a transaction holds so far, as its limits count it. */
interface Load {
  readonly ops: { readonly size: number };
  readonly logBytes: number;
  readonly opsBytes: number;
}

const NOTHING: Load = { ops: { size: 0 }, logBytes: 0, opsBytes: 0 };

function blank<W>(): Open<W> {
  return { ops: new OpSet(), events: [], bodies: [], settled: [], logBytes: 0, opsBytes: 0 };
}

function fits(
  open: Load,
  ops: readonly Op[],
  bytes: { readonly log: number; readonly ops: number },
): boolean {
  const log = open.logBytes + bytes.log;
  return (
    open.ops.size + ops.length + OWN_OPS <= TABLE_LIMITS.opsInTransaction &&
    log <= TABLE_LIMITS.itemBytes &&
    open.opsBytes + bytes.ops + log <= TABLE_LIMITS.transactionBytes
  );
}
