import { readFile } from 'node:fs/promises';
import type { NodeSummary } from '../api/v2.ts';
import { assembleVault } from '../vault/assemble.ts';
import { parseMarkdown, type ParsedNote } from '../vault/parse-note.ts';
import type { Vault } from '../vault/types.ts';
import { markedKey } from '../vault/graph-key.ts';

/**
 * One note read alone has lost the notes that it links to. Here its links are resolved again, by the rules of a vault,
 * among the notes that an earlier import of its folder brought into the graph.
 */
export async function linkToStored(
  vault: Vault,
  file: string,
  { prefix, stored }: { readonly prefix: string; readonly stored: readonly NodeSummary[] },
): Promise<Vault> {
  const [note] = vault.notes;
  if (note?.path === undefined) return vault;
  const parsed = parseMarkdown({ path: note.path, text: await readFile(file, 'utf8') }, 'none');
  // Not only where a link is broken: some are taken for none at all while their target is not there.
  if (!parsed || parsed.links.length + parsed.linkedKeys.length === 0) return vault;
  const others = othersOf(stored, prefix).filter(
    (other) => other.note.path !== note.path && other.note.key !== note.key,
  );
  const resolved = assembleVault([parsed, ...others]);
  const { title, links } = resolved.notes[0] ?? note;
  const kept = vault.problems.filter((problem) => problem.code !== 'broken_link');
  const broken = resolved.problems.filter((problem) => problem.code === 'broken_link');
  return { ...vault, notes: [{ ...note, title, links }], problems: [...kept, ...broken] };
}

/** The stored notes of a folder, under the keys that they have in the graph. */
function othersOf(notes: readonly NodeSummary[], prefix: string): readonly ParsedNote[] {
  return notes.flatMap(({ title, aliases, source }) => {
    const { path: whole, key } = source;
    if (whole === undefined || key === undefined || !whole.startsWith(`${prefix}/`)) return [];
    const path = whole.slice(prefix.length + 1);
    const entry = {
      note: { key: markedKey(key), path, content: '', aliases, tags: [] },
      ownTitle: title,
      fileTitle: path.replace(/^.*\//, '').replace(/\.[^.]*$/, ''),
      redirects: [],
      links: [],
      linkedKeys: [],
      contentLine: 0,
      problems: [],
    };
    return [entry];
  });
}
