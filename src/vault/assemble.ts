import type { RawLink } from './link-syntax.ts';
import { NoteIndex } from './note-index.ts';
import type { ParsedNote } from './parse-note.ts';
import { findRoots, LinkResolver } from './resolve.ts';
import type { VaultLink, VaultNote, VaultProblem } from './types.ts';

export interface Assembled {
  readonly notes: VaultNote[];
  readonly problems: readonly VaultProblem[];
  readonly links: number;
  readonly brokenLinks: number;
}

interface NoteLinks {
  /** Target by number, with the text of its first link. */
  readonly links: ReadonlyMap<number, string>;
  readonly wiki: number;
  readonly markdown: number;
  readonly broken: readonly { readonly target: string; readonly offset: number }[];
}

/** Resolves the links among all notes of a vault, chooses titles, and drops notes whose key is taken. Pure. */
export function assembleVault(parsed: readonly ParsedNote[]): Assembled {
  const { unique, problems } = dropDuplicates(parsed);
  const index = new NoteIndex(
    unique.map((entry) => ({
      key: entry.note.key,
      path: entry.note.path,
      titles: titlesOf(entry),
      aliases: entry.note.aliases,
      redirects: entry.redirects,
    })),
  );
  const resolver = new LinkResolver(index, findRoots(index, absoluteUrls(unique)));
  const resolved = unique.map((entry, at) => resolveLinks(entry, at, resolver, index));
  const wiki = resolved.reduce((sum, each) => sum + each.wiki, 0);
  const markdown = resolved.reduce((sum, each) => sum + each.markdown, 0);
  // where notes are linked by the names of their files, those names are their titles
  const linkedByName = wiki > 0 && wiki >= markdown;
  const titles = unique.map((entry) => {
    const heading = linkedByName ? undefined : entry.heading;
    return entry.ownTitle ?? heading ?? entry.fileTitle;
  });
  const notes = unique.map((entry, at): VaultNote => {
    const links: VaultLink[] = [];
    for (const [target, text] of resolved[at]?.links ?? []) {
      links.push({ target: unique[target]?.note.key ?? '', text: text || (titles[target] ?? '') });
    }
    problems.push(...entry.problems, ...brokenLinks(entry, resolved[at]?.broken ?? []));
    return { ...entry.note, title: titles[at] ?? '', links };
  });
  return {
    notes,
    problems,
    links: notes.reduce((sum, note) => sum + note.links.length, 0),
    brokenLinks: resolved.reduce((sum, each) => sum + each.broken.length, 0),
  };
}

function titlesOf(entry: ParsedNote): string[] {
  return [entry.ownTitle, entry.heading, entry.fileTitle].filter((title) => title !== undefined);
}

function dropDuplicates(parsed: readonly ParsedNote[]): { unique: ParsedNote[]; problems: VaultProblem[] } {
  const unique: ParsedNote[] = [];
  const problems: VaultProblem[] = [];
  const paths = new Set(parsed.map((entry) => entry.note.path));
  const keys = new Set<string>();
  for (const entry of parsed) {
    const { key, path } = entry.note;
    const taken = keys.has(key) || (key !== path && paths.has(key));
    if (!taken) {
      keys.add(key);
      unique.push(entry);
    } else if (path !== undefined && path !== key && !keys.has(path)) {
      keys.add(path);
      unique.push({ ...entry, note: { ...entry.note, key: path } });
      const message = `brain2_key "${key}" belongs to another note; this one is known by its path`;
      problems.push({ path, code: 'duplicate_id', message, severity: 'warning' });
    } else {
      const message = `another note is called "${key}" already`;
      problems.push({ path: path ?? key, code: 'duplicate_id', message, severity: 'error' });
    }
  }
  return { unique, problems };
}

function* absoluteUrls(notes: readonly ParsedNote[]): Generator<string> {
  for (const { links } of notes) {
    for (const link of links) {
      if (link.kind === 'url' && link.target.startsWith('/')) yield link.target;
      else if (link.kind === 'ref') yield link.target.startsWith('/') ? link.target : `/${link.target}`;
    }
  }
}

function resolveLinks(entry: ParsedNote, at: number, resolver: LinkResolver, index: NoteIndex): NoteLinks {
  const links = new Map<number, string>();
  const broken = new Map<string, number>();
  let wiki = 0;
  let markdown = 0;
  const count = (link: RawLink): void => {
    if (link.kind === 'wiki') wiki++;
    else markdown++;
  };
  for (const link of entry.links) {
    const found = resolver.resolve(link, at);
    if (found.kind === 'broken' && !broken.has(found.target)) broken.set(found.target, link.offset);
    if (found.kind !== 'note') continue;
    count(link);
    if (found.note !== at && !links.has(found.note)) links.set(found.note, found.text);
  }
  for (const key of entry.linkedKeys) {
    const target = index.byKey(key);
    if (target !== undefined && target !== at && !links.has(target)) links.set(target, '');
  }
  const missing = [...broken].map(([target, offset]) => ({ target, offset }));
  return { links, wiki, markdown, broken: missing };
}

function brokenLinks(entry: ParsedNote, broken: NoteLinks['broken']): VaultProblem[] {
  const { content, path, key } = entry.note;
  let line = entry.contentLine + 1;
  let counted = 0;
  return broken
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ target, offset }) => {
      for (let next = content.indexOf('\n', counted); next !== -1 && next < offset;) {
        line++;
        counted = next + 1;
        next = content.indexOf('\n', counted);
      }
      const message = `no note answers to the link "${target.slice(0, 200)}"`;
      return { path: path ?? key, line, code: 'broken_link', message, severity: 'warning', target } as const;
    });
}
