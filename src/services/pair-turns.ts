import type { NodeId } from '../domain/values.ts';
import type { IndexedLinks } from './index-thread.ts';
import type { Wanted } from './wanted.ts';

/** Whose text asks for an edge, seen from one of its notes. */
export type AskedBy = 'this' | 'other' | 'both';

export interface AskedEdge extends Wanted {
  readonly by: AskedBy;
}

/** What is to become of a note's edges of one kind, and which of them are not to be touched yet. */
export interface AskedEdges {
  readonly edges: readonly AskedEdge[];
  /** Whether `edges` says all that this text asks for, and all that the other does: what is not known stays. */
  readonly knowsThis: boolean;
  readonly knows: (otherId: NodeId) => boolean;
  /** Whether the pair is decided at the other's turn. */
  readonly waits: (otherId: NodeId) => boolean;
}

/** For a note whose links alone are known. */
export function askedByThis(links: readonly Wanted[]): AskedEdges {
  return {
    edges: links.map((link) => ({ ...link, by: 'this' })),
    knowsThis: true,
    knows: () => false,
    waits: () => false,
  };
}

/** What is left to do at a note's turn when its own text was linked meanwhile: what the others ask of it. */
export function askedByOthers(asked: AskedEdges): AskedEdges {
  const edges = asked.edges
    .filter(({ by }) => by !== 'this')
    .map((edge) => ({ ...edge, by: 'other' as const }));
  return { ...asked, edges, knowsThis: false, waits: () => true };
}

/**
 * Many notes that are linked one after the other. A pair of them is decided at the turn of the second, when it is
 * known which of the two texts ask for the edge: one write of it, where deciding each side by itself takes two.
 */
export class PairTurns {
  readonly #turnOf: ReadonlyMap<NodeId, number>;
  readonly #versionOf: (id: NodeId) => number | undefined;
  /** The version of each note at its turn: what it asked for holds as long as it has that. */
  readonly #taken = new Map<NodeId, number | undefined>();
  /** By note, what the ones before it ask of it; few ask for one, so that a list of them is searched as fast as a map. */
  readonly #asked = new Map<NodeId, Wanted[]>();

  /** `ids` in the order of their turns; `versionOf` gives the version that a note has now. */
  constructor(ids: readonly NodeId[], versionOf: (id: NodeId) => number | undefined) {
    this.#versionOf = versionOf;
    this.#turnOf = new Map(ids.map((id, turn) => [id, turn]));
  }

  /** What is decided at the turn of a note, whose text asks for `links` at `version`. */
  take({ id, version, links }: IndexedLinks): AskedEdges {
    this.#taken.set(id, version);
    const asked = this.#asked.get(id) ?? [];
    this.#asked.delete(id);
    const turn = this.#turnOf.get(id) ?? 0;
    const turnOf = (otherId: NodeId): number => this.#turnOf.get(otherId) ?? -1;
    const edges: AskedEdge[] = [];
    // Fields by name: a hundred thousand times, a spread is dear.
    for (const { otherId, weight, reasons } of links) {
      if (turnOf(otherId) > turn) this.#ask(otherId, { otherId: id, weight, reasons });
      else edges.push({ otherId, weight, reasons, by: takeOut(asked, otherId) ? 'both' : 'this' });
    }
    for (const { otherId, weight, reasons } of asked) edges.push({ otherId, weight, reasons, by: 'other' });
    return {
      edges,
      knowsThis: true,
      knows: (otherId) => this.#taken.has(otherId) && this.#taken.get(otherId) === this.#versionOf(otherId),
      waits: (otherId) => turnOf(otherId) > turn,
    };
  }

  #ask(id: NodeId, link: Wanted): void {
    const asked = this.#asked.get(id);
    if (asked) asked.push(link);
    else this.#asked.set(id, [link]);
  }
}

/** Whether one of the other note was among the links. */
function takeOut(links: Wanted[], otherId: NodeId): boolean {
  const at = links.findIndex((link) => link.otherId === otherId);
  if (at >= 0) links.splice(at, 1);
  return at >= 0;
}
