import type { Reason } from '../domain/edge.ts';
import type { Brand } from '../shared/brand.ts';
import type { NodeId } from '../domain/values.ts';
import type { Related } from '../linking/link-index.ts';

/** An edge that a note's text asks for. */
export interface Wanted {
  readonly otherId: NodeId;
  readonly weight: number;
  /** As JSON until the edge is made: half of all that is asked for waits long in memory, and most is never looked at. */
  readonly reasons: ReasonsText;
}

export type ReasonsText = Brand<string, 'ReasonsText'>;

export const reasonsText = (reasons: readonly Reason[]): ReasonsText =>
  JSON.stringify(reasons) as ReasonsText;

export const reasonsIn = (text: ReasonsText): readonly Reason[] => JSON.parse(text) as readonly Reason[];

/** Stored weights have four decimals: a smaller difference is no news to anybody. */
const WEIGHT_STEPS = 10_000;
/** The strongest reasons are stored with an edge, in thousandths; an explanation gives all. */
const REASONS_KEPT = 5;
const CONTRIBUTION_STEPS = 1_000;
const CELLS_A_LINK = 3;

/** A link that the engine keeps, as an edge stores it. */
export function wantedOf({ id, weight, reasons }: Related): Wanted {
  return {
    otherId: id as NodeId,
    weight: rounded(weight, WEIGHT_STEPS),
    reasons: reasonsText(
      reasons.slice(0, REASONS_KEPT).map(({ kind, term, contribution }) => ({
        kind,
        term,
        contribution: rounded(contribution, CONTRIBUTION_STEPS),
      })),
    ),
  };
}

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}

/** The links of many notes on their way out of the thread of indexes: one flat list, which is copied fast. */
export type PackedLinks = readonly (string | number)[];

export function packLinks(notes: Iterable<readonly Wanted[]>): PackedLinks {
  const cells: (string | number)[] = [];
  for (const links of notes) {
    cells.push(links.length);
    for (const { otherId, weight, reasons } of links) cells.push(otherId, weight, reasons);
  }
  return cells;
}

/** The links of each note, in the order in which they were packed. */
export function unpackLinks(cells: PackedLinks): readonly (readonly Wanted[])[] {
  const notes: Wanted[][] = [];
  for (let at = 0; at < cells.length;) {
    const links: Wanted[] = [];
    const end = at + 1 + (cells[at++] as number) * CELLS_A_LINK;
    for (; at < end; at += CELLS_A_LINK) {
      const [otherId, weight, reasons] = [cells[at], cells[at + 1], cells[at + 2]];
      links.push({ otherId, weight, reasons } as Wanted);
    }
    notes.push(links);
  }
  return notes;
}
