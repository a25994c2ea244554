import type { Edge, NodeSummary } from '../api/v2.ts';
import { ApiError, type BrainClient } from '../client/http-client.ts';
import { eachConcurrent } from '../shared/each-concurrent.ts';

const READS_AT_ONCE = 8;

/** An edge as one of its notes sees it. */
export interface Link {
  readonly edge: Edge;
  readonly direction: 'to' | 'from';
  readonly other: Pick<NodeSummary, 'id' | 'title' | 'label'>;
}

/** The edges of a note with the notes across, strongest first. */
export async function linksOf(client: BrainClient, nodeId: string, edges: readonly Edge[]): Promise<Link[]> {
  const ids = [...new Set(edges.map((edge) => otherEnd(edge, nodeId)))];
  const notes = await Array.fromAsync(
    eachConcurrent(ids, { limit: READS_AT_ONCE }, (id) => find(client, id)),
  );
  const byId = new Map(notes.flatMap((note) => (note ? [[note.id, note] as const] : [])));
  return edges
    .flatMap((edge): Link[] => {
      const other = byId.get(otherEnd(edge, nodeId));
      return other ? [{ edge, direction: edge.sourceId === nodeId ? 'to' : 'from', other }] : [];
    })
    .sort(
      (a, b) =>
        b.edge.weight - a.edge.weight ||
        compare(a.other.label, b.other.label) ||
        compare(a.edge.id, b.edge.id),
    );
}

/** A note may be deleted between the two reads: then its edge is gone as well. */
async function find(client: BrainClient, id: string): Promise<Link['other'] | undefined> {
  try {
    const { title, label } = await client.nodes.get(id);
    return { id, title, label };
  } catch (error) {
    if (error instanceof ApiError && error.problem.code === 'not_found') return undefined;
    throw error;
  }
}

function otherEnd(edge: Edge, id: string): string {
  return edge.sourceId === id ? edge.targetId : edge.sourceId;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
