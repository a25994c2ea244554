import type { OwnerId } from '../../domain/values.ts';
import type { Key } from '../table.ts';

/** What can be wrong with what is stored. Only the kind may be branched on. */
export type ProblemKind =
  /** The engine itself finds what it keeps unsound. */
  | 'engine'
  /** A row is not what was written, or lies where it does not belong. */
  | 'row'
  /** The log has a gap or a repeat, or does not end where the head says. */
  | 'log'
  /** What is stored is not what the log leads to. */
  | 'state'
  /** An edge lacks one of its notes. */
  | 'edge_end'
  /** A row of an index is missing, is wrong, or belongs to nothing. */
  | 'index_row'
  /** The head counts otherwise. */
  | 'counts'
  /** The index of links and words does not answer as one that is made of the notes anew. */
  | 'index';

export interface Problem {
  readonly kind: ProblemKind;
  /** Absent for what is of no owner's. */
  readonly owner?: OwnerId | undefined;
  /** Partition and sort key, or the name of a file. */
  readonly key: string;
  readonly message: string;
}

/** Of a store that is beyond repair so many are named; all are counted. */
const MOST_NAMED = 1_000;

/** The problems of one owner, or of what is of nobody. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly #owner: OwnerId | undefined;
  #total = 0;

  constructor(owner?: OwnerId) {
    this.#owner = owner;
  }

  get total(): number {
    return this.#total;
  }

  add(kind: ProblemKind, key: Key | string, message: string): void {
    this.#total += 1;
    if (this.problems.length >= MOST_NAMED) return;
    const name = typeof key === 'string' ? key : nameOf(key);
    this.problems.push({
      kind,
      ...(this.#owner !== undefined && { owner: this.#owner }),
      key: name,
      message,
    });
  }
}

export function nameOf({ pk, sk }: Key): string {
  return `${pk} ${sk}`;
}

/** Told now and then how far a check is, in rows or events of a stage. */
export type OnProgress = (stage: string, done: number, total: number) => void;
