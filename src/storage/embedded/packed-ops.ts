import { keyOf, type Condition, type Op } from '../table.ts';

const KINDS = ['put', 'del', 'check'] as const;
const PUT = 0;
const CONDITIONS = ['none', 'absent', 'exists', 'version'] as const;
const NONE = 0;
const OF_VERSION = 3;
/** The place of each number among those of an operation, in the order in which `packOps` writes them. */
const KIND = 0;
const CONDITION = 1;
const CONDITION_VERSION = 2;
const PARTITION = 3;
const SORT_KEY_LENGTH = 4;
const TYPE = 5;
const VERSION = 6;
const TTL = 7;
const PAYLOAD_LENGTH = 8;
const NUMBERS_AN_OP = 9;
/** In the place of a number that is not there. */
const ABSENT = Number.NaN;

/**
 * A transaction on its way to the writer's thread. What is sent is copied object by object and text by text: so all
 * texts are one, and all numbers are one piece of memory.
 */
export interface PackedOps {
  /** Partitions and types, of which there are few. */
  readonly names: readonly string[];
  /** Sort keys and payloads, one after the other. */
  readonly text: string;
  readonly numbers: Float64Array;
}

export function packOps(ops: readonly Op[]): PackedOps {
  const names: string[] = [];
  const texts: string[] = [];
  const numbers = new Float64Array(ops.length * NUMBERS_AN_OP);
  const place = (name: string): number => {
    const known = names.indexOf(name);
    return known >= 0 ? known : names.push(name) - 1;
  };
  let at = 0;
  for (const op of ops) {
    const { pk, sk } = keyOf(op);
    const put = 'put' in op ? op.put : undefined;
    numbers[at++] = put ? PUT : KINDS.indexOf('del' in op ? 'del' : 'check');
    numbers[at++] = conditionPlace(op.if);
    numbers[at++] = typeof op.if === 'object' ? op.if.ver : ABSENT;
    numbers[at++] = place(pk);
    numbers[at++] = sk.length;
    numbers[at++] = put ? place(put.et) : ABSENT;
    numbers[at++] = put?.ver ?? ABSENT;
    numbers[at++] = put?.ttl ?? ABSENT;
    numbers[at++] = put?.j.length ?? 0;
    texts.push(sk);
    if (put) texts.push(put.j);
  }
  return { names, text: texts.join(''), numbers };
}

function conditionPlace(condition: Condition | undefined): number {
  if (condition === undefined) return NONE;
  return typeof condition === 'string' ? CONDITIONS.indexOf(condition) : OF_VERSION;
}

/** Reads one operation after the other. */
export class OpReader {
  readonly #ops: PackedOps;
  #at = -NUMBERS_AN_OP;
  /** Where the sort key of the operation begins, and where its payload ends. */
  #start = 0;
  #end = 0;
  /** The place of the operation among those of its transaction. */
  index = -1;

  constructor(ops: PackedOps) {
    this.#ops = ops;
  }

  /** Goes to the next operation; false after the last. */
  next(): boolean {
    this.#at += NUMBERS_AN_OP;
    if (this.#at >= this.#ops.numbers.length) return false;
    this.#start = this.#end;
    this.#end += this.#number(SORT_KEY_LENGTH) + this.#number(PAYLOAD_LENGTH);
    this.index += 1;
    return true;
  }

  get kind(): (typeof KINDS)[number] {
    return KINDS[this.#number(KIND)] as (typeof KINDS)[number];
  }

  get condition(): Condition | undefined {
    const condition = CONDITIONS[this.#number(CONDITION)] as (typeof CONDITIONS)[number];
    if (condition === 'none') return undefined;
    return condition === 'version' ? { ver: this.#number(CONDITION_VERSION) } : condition;
  }

  get pk(): string {
    return this.#ops.names[this.#number(PARTITION)] as string;
  }

  get sk(): string {
    return this.#ops.text.slice(this.#start, this.#start + this.#number(SORT_KEY_LENGTH));
  }

  get et(): string {
    return this.#ops.names[this.#number(TYPE)] as string;
  }

  get ver(): number | null {
    return this.#numberOrNull(VERSION);
  }

  get ttl(): number | null {
    return this.#numberOrNull(TTL);
  }

  get j(): string {
    return this.#ops.text.slice(this.#start + this.#number(SORT_KEY_LENGTH), this.#end);
  }

  #number(field: number): number {
    return this.#ops.numbers[this.#at + field] as number;
  }

  #numberOrNull(field: number): number | null {
    const number = this.#number(field);
    return Number.isNaN(number) ? null : number;
  }
}
