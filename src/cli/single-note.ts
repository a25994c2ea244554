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
  stored: { readonly notes: readonly NodeSummary[]; readonly prefix: string },
): Promise<Vault> {
  const [note] = vault.notes;
  if (note?.path === undefined || vault.stats.brokenLinks === 0) return vault;
  const parsed = parseMarkdown({ path: note.path, text: await readFile(file, 'utf8') }, 'none');
  if (!parsed) return vault;
  const others = othersOf(stored, note.path);
  const resolved = assembleVault([parsed, ...others.map(({ entry }) => entry)]);
  const keys = new Map(others.map(({ entry, key }) => [entry.note.key, markedKey(key)]));
  const own = resolved.notes[0] ?? note;
  const links = own.links.flatMap(({ target, text }) => {
    const key = keys.get(target);
    return key === undefined ? [] : [{ target: key, text }];
  });
  const kept = vault.problems.filter((problem) => problem.code !== 'broken_link');
  const broken = resolved.problems.filter((problem) => problem.code === 'broken_link');
  return { ...vault, notes: [{ ...note, title: own.title, links }], problems: [...kept, ...broken] };
}

function othersOf(
  { notes, prefix }: { readonly notes: readonly NodeSummary[]; readonly prefix: string },
  own: string,
): { readonly entry: ParsedNote; readonly key: string }[] {
  return notes.flatMap(({ title, aliases, source }) => {
    const { path: whole, key } = source;
    if (whole === undefined || key === undefined || !whole.startsWith(`${prefix}/`)) return [];
    const path = whole.slice(prefix.length + 1);
    if (path === own) return [];
    const note = { key: path, path, content: '', aliases, tags: [] };
    const entry = {
      note,
      ownTitle: title,
      fileTitle: path.replace(/^.*\//, '').replace(/\.[^.]*$/, ''),
      redirects: [],
      links: [],
      linkedKeys: [],
      contentLine: 0,
      problems: [],
    };
    return [{ entry, key }];
  });
}
