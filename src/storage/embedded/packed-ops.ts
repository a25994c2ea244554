import { keyOf, type Condition, type Op } from '../table.ts';

const KINDS = ['put', 'del', 'check'] as const;
const PUT = 0;
/** Kind, condition and the two keys; a put has four more. */
const KEYED_CELLS = 4;
const PUT_CELLS = 8;

/**
 * A transaction on its way to the writer's thread: one flat list of cells, which is copied several times faster than
 * as many objects.
 */
export type PackedOps = readonly (string | number | null)[];

export function packOps(ops: readonly Op[]): PackedOps {
  const cells: (string | number | null)[] = [];
  for (const op of ops) {
    const { pk, sk } = keyOf(op);
    const kind = 'put' in op ? PUT : KINDS.indexOf('del' in op ? 'del' : 'check');
    cells.push(kind, packCondition(op.if), pk, sk);
    if ('put' in op) cells.push(op.put.et, op.put.ver ?? null, op.put.ttl ?? null, op.put.j);
  }
  return cells;
}

/** Reads one operation after the other. */
export class OpReader {
  readonly #cells: PackedOps;
  #at: number;
  #next = 0;
  /** The place of the operation among those of its transaction. */
  index = -1;

  constructor(cells: PackedOps) {
    this.#cells = cells;
    this.#at = 0;
  }

  /** Goes to the next operation; false after the last. */
  next(): boolean {
    if (this.#next >= this.#cells.length) return false;
    this.#at = this.#next;
    this.#next += this.#cells[this.#at] === PUT ? PUT_CELLS : KEYED_CELLS;
    this.index += 1;
    return true;
  }

  get kind(): (typeof KINDS)[number] {
    return KINDS[this.#cells[this.#at] as number] as (typeof KINDS)[number];
  }

  get condition(): Condition | undefined {
    const cell = this.#cells[this.#at + 1] as string | number | null;
    if (cell === null) return undefined;
    return typeof cell === 'number' ? { ver: cell } : (cell as 'absent' | 'exists');
  }

  get pk(): string {
    return this.#cells[this.#at + 2] as string;
  }

  get sk(): string {
    return this.#cells[this.#at + 3] as string;
  }

  get et(): string {
    return this.#cells[this.#at + 4] as string;
  }

  get ver(): number | null {
    return this.#cells[this.#at + 5] as number | null;
  }

  get ttl(): number | null {
    return this.#cells[this.#at + 6] as number | null;
  }

  get j(): string {
    return this.#cells[this.#at + 7] as string;
  }
}

function packCondition(condition: Condition | undefined): string | number | null {
  if (condition === undefined) return null;
  return typeof condition === 'string' ? condition : condition.ver;
}
