import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Edge, Node } from '../api/v2.ts';
import { LIMITS } from '../domain/limits.ts';
import { vaultCollection, type CollectedNote } from '../vault/collection.ts';
import { readVault } from '../vault/read-vault.ts';

/** The first part of the key of every note of the demo: no vault of a user is called so. */
export const DEMO = 'brain2-demo';

const FOLDER = fileURLToPath(new URL('../../demo', import.meta.url));

/** Every note of the demo bears dates before this one, in each release, so what is later is a user's doing. */
export const WRITTEN_BEFORE = '2026-01-01T00:00:00.000Z';

export interface DemoNotes {
  readonly notes: readonly CollectedNote[];
  /** What some of them said before they were edited. */
  readonly earlier: readonly CollectedNote[];
}

/** The notes that come with Brain2, as an import takes them; their folders are their categories. */
export async function readDemo(signal?: AbortSignal): Promise<DemoNotes> {
  const read = async (folder: string): Promise<CollectedNote[]> => {
    const options = { categories: 'folders', maxNoteBytes: LIMITS.contentBytes, signal } as const;
    const { notes } = await readVault(join(FOLDER, folder), options);
    return [...vaultCollection(DEMO, notes).notes()];
  };
  return { notes: await read('notes'), earlier: await read('earlier') };
}

/** Whether the note was changed since the demo brought it. */
export function isEdited({ updatedAt }: Pick<Node, 'updatedAt'>): boolean {
  return Date.parse(updatedAt) >= Date.parse(WRITTEN_BEFORE);
}

/**
 * Whether a person drew the edge or accepted it. A link that stands in a note of the demo and leads to another is the
 * demo's own.
 */
export function isOfPerson(edge: Edge, demo: ReadonlySet<string>): boolean {
  if (edge.origin === 'auto') return edge.status === 'accepted';
  const isWritten = edge.type === 'reference' && edge.reasons.some(({ kind }) => kind === 'link');
  return !(isWritten && demo.has(edge.sourceId) && demo.has(edge.targetId));
}
