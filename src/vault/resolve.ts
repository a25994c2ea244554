import type { RawLink } from './link-syntax.ts';
import { fold, trimSlashes } from './note-index.ts';
import type { NoteIndex } from './note-index.ts';

export type Resolution =
  | { readonly kind: 'note'; readonly note: number; readonly text: string }
  /** A note was meant and is not there. */
  | { readonly kind: 'broken'; readonly target: string }
  /** Not a link to a note: another site, a picture, a place in the same note. */
  | { readonly kind: 'other' };

const OTHER: Resolution = { kind: 'other' };
const MAX_TARGET = 2000;
const ATTACHMENT =
  /\.(?:png|jpe?g|gif|svg|webp|bmp|avif|heic|tiff?|ico|pdf|mp[34]|mov|webm|mkv|wav|ogg|m4a|flac|zip|gz|tgz|tar|7z|canvas|base|excalidraw|csv|tsv|json|ya?ml|toml|txt|log|html?|xml|rss|[cm]?[jt]sx?|css|scss|py|go|rs|sh|rb|java|c|h|cpp|xlsx?|docx?|pptx?|epub|drawio)$/i;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const TEMPLATE = /\{\{|<%|\$\{/;

/** Says where a link leads. Pure: the same notes and link give the same answer. */
export class LinkResolver {
  readonly #index: NoteIndex;
  readonly #roots: readonly string[];
  readonly #nearest = new Map<string, number | undefined>();
  readonly #unambiguous = new Map<string, number>(); // wikilinks that lead to one note wherever they stand

  /** `roots`: folders that absolute paths start from beside the vault itself, the likeliest first, each with `/`. */
  constructor(index: NoteIndex, roots: readonly string[]) {
    this.#index = index;
    this.#roots = roots;
  }

  resolve(link: RawLink, from: number): Resolution {
    if (link.target.length > MAX_TARGET) return OTHER;
    switch (link.kind) {
      case 'wiki':
        return this.#resolveWiki(link, from);
      case 'url':
        return this.#found(this.#url(link.target, from), link, from);
      case 'ref': {
        const note = this.#url(link.target, from) ?? this.#url(`/${link.target}`, from);
        return this.#found(note ?? this.#wiki(link.target, from), link, from);
      }
    }
  }

  #found(note: number | undefined, link: RawLink, from: number): Resolution {
    if (note !== undefined) return { kind: 'note', note, text: link.text };
    const path = cleanUrl(link.target);
    if (path === undefined || link.tentative || this.#isFolder(path, from)) return OTHER;
    return { kind: 'broken', target: link.target };
  }

  /** A folder without an index is there, though it is no note. */
  #isFolder(path: string, from: number): boolean {
    const index = this.#index;
    if (!path.startsWith('/')) return index.hasFolder(joinPath(index.dirs[from] ?? '', path));
    return ['', ...this.#roots].some((root) => index.hasFolder(joinPath(root, path)));
  }

  #resolveWiki(link: RawLink, from: number): Resolution {
    const parts = link.target.split(/\\?\|/);
    const first = parts[0] ?? '';
    const last = parts.at(-1) ?? '';
    const label = parts.slice(1).join(' ').trim();
    const direct = this.#wiki(first, from);
    if (direct !== undefined) {
      return { kind: 'note', note: direct, text: link.text || label || readable(first) };
    }
    // Dendron writes the label first
    const swapped = parts.length > 1 ? this.#wiki(last, from) : undefined;
    if (swapped !== undefined) return { kind: 'note', note: swapped, text: link.text || first.trim() };
    // a title or an alias answers last, and never in the place of a missing note of Dendron's
    const dendron = parts.length > 1 && /^\s{0,8}dendron:\/\/|^[^\s.]+\.[^\s]+$/.test(last);
    const loose = dendron ? undefined : this.#loose(wikiName(first));
    if (loose !== undefined)
      return { kind: 'note', note: loose, text: link.text || label || readable(first) };
    const name = wikiName(first);
    const other = name === '' || ATTACHMENT.test(name) || SCHEME.test(name) || TEMPLATE.test(name);
    return other || link.tentative ? OTHER : { kind: 'broken', target: link.target };
  }

  /** Finds the note that a wikilink names. */
  #wiki(target: string, from: number): number | undefined {
    const known = this.#unambiguous.get(target);
    if (known !== undefined) return known;
    const whole = stripVault(target).trim();
    // a note may be called "C#"; else all from the first # or ^ on is a place in the note
    if (/[#^]/.test(whole)) {
      const marked = fold(whole).replace(/\.md$/, '');
      if (!marked.includes('/') && this.#index.byBase(marked).length > 0) return this.#byBase(marked, from);
    }
    const name = wikiName(target);
    if (name === '') return /[#^]/.test(whole) ? from : undefined;
    if (name.includes('/')) return this.#wikiPath(name, from);
    const same = this.#index.byBase(name);
    if (same.length !== 1 || same[0] === undefined) return this.#byBase(name, from);
    this.#unambiguous.set(target, same[0]);
    return same[0];
  }

  #byBase(base: string, from: number): number | undefined {
    const same = this.#index.byBase(base);
    if (same.length <= 1) return same[0];
    const dir = fold(this.#index.dirs[from] ?? '');
    return this.#index.byStem(dir === '' ? base : `${dir}/${base}`) ?? this.#shortest(base, same);
  }

  #wikiPath(name: string, from: number): number | undefined {
    const dir = fold(this.#index.dirs[from] ?? '');
    const trimmed = trimSlashes(name);
    const path = name.startsWith('.') ? joinPath(dir, name) : trimmed;
    const exact = this.#index.byStem(path) ?? this.#index.byStem(joinPath(dir, path));
    if (exact !== undefined) return exact;
    const same = this.#index.bySuffix(path);
    return same.length > 0 ? this.#shortest(path, same) : undefined;
  }

  #shortest(name: string, notes: readonly number[]): number | undefined {
    if (this.#nearest.has(name)) return this.#nearest.get(name);
    const length = (note: number): number => (this.#index.stems[note] ?? '').length;
    const best = notes.reduce((best, note) => (length(note) < length(best) ? note : best), notes[0] ?? 0);
    this.#nearest.set(name, best);
    return best;
  }

  /** What no file name answers to: a folder with an index, a title, an alias, a namespace of Logseq. */
  #loose(name: string): number | undefined {
    const index = this.#index;
    if (name === '') return undefined;
    return (
      index.byPath(name) ??
      index.byName(name) ??
      (name.includes('/') ? index.byBase(name.replaceAll('/', '___'))[0] : undefined)
    );
  }

  /** Finds the note that a Markdown destination leads to. */
  #url(url: string, from: number): number | undefined {
    const path = cleanUrl(url, false);
    if (path === undefined) return undefined;
    const found = this.#path(path, from);
    if (found !== undefined) return found;
    const unescaped = path
      .replace(/\\([!-/:-@[-`{-~])/g, '$1')
      .replaceAll('\\', '/')
      .replaceAll('&amp;', '&');
    return unescaped === path ? undefined : this.#path(unescaped, from);
  }

  #path(path: string, from: number): number | undefined {
    const index = this.#index;
    if (path.startsWith('/')) return this.#absolute(path, from);
    const dir = index.dirs[from] ?? '';
    const near = index.byPath(joinPath(dir, path)) ?? index.byPath(joinPath(index.stems[from] ?? '', path));
    if (near !== undefined) return near;
    const named = /\.(?:md|markdown)$/i.test(path) || !/[./]/.test(path);
    return named && !ATTACHMENT.test(path) ? this.#wiki(path, from) : undefined;
  }

  #absolute(path: string, from: number): number | undefined {
    const inVault = this.#index.byPath(joinPath('', path));
    if (inVault !== undefined) return inVault;
    const own = this.#index.stems[from] ?? '';
    // a note of one language means that language, where several roots have the path
    const roots = this.#roots.toSorted((a, b) => Number(own.startsWith(b)) - Number(own.startsWith(a)));
    for (const root of roots) {
      const note = this.#index.byPath(joinPath(root, path));
      if (note !== undefined) return note;
    }
    return this.#index.byRedirect(path);
  }
}

/** Folders that absolute paths are meant to start from, the one that explains most of them first. */
export function findRoots(index: NoteIndex, urls: Iterable<string>): string[] {
  const votes = new Map<string, number>();
  for (const url of new Set(urls)) {
    const path = cleanUrl(url);
    if (path === undefined || !path.startsWith('/')) continue;
    if (index.byPath(joinPath('', path)) !== undefined) continue;
    for (const root of index.rootsOf(joinPath('', path))) votes.set(root, (votes.get(root) ?? 0) + 1);
  }
  const ranked = [...votes].sort((a, b) => b[1] - a[1] || a[0].length - b[0].length);
  const most = ranked[0]?.[1] ?? 0;
  // a folder that explains a few of many is a coincidence of names
  return ranked.filter(([root, count]) => root !== '' && count * 5 >= most).map(([root]) => root);
}

/** The path in a destination, or `undefined` where it leads out of the vault, to an attachment or nowhere. */
function cleanUrl(url: string, withoutFiles = true): string | undefined {
  if (SCHEME.test(url) || url.startsWith('//') || url.startsWith('#') || TEMPLATE.test(url)) return undefined;
  const path = decode(url.split(/[?#]/, 1)[0] ?? '').trim();
  if (path === '' || path.startsWith('www.')) return undefined;
  return withoutFiles && ATTACHMENT.test(path) ? undefined : path;
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function stripVault(target: string): string {
  return target.replace(/^\s{0,8}dendron:\/\/[^/]*\//, '');
}

function wikiName(target: string): string {
  const name = (stripVault(target).split(/[#^]/, 1)[0] ?? '').replace(/\\$/, '').trim();
  const folded = fold(name).replace(/\.md$/, '');
  return folded.startsWith('/') ? trimSlashes(folded) : folded;
}

/** The words of a wikilink without a label, as a reader sees them. */
function readable(target: string): string {
  return stripVault(target).trim().replace(/[#^]+/g, ' ').replace(/\s+/g, ' ').trim();
}

/** Joins and resolves `.` and `..`; a path that climbs out of the vault keeps its `..` and so finds nothing. */
function joinPath(dir: string, path: string): string {
  if (!path.includes('//') && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(path))
    return dir === '' ? path : `${dir}/${path}`;
  const out: string[] = [];
  for (const part of `${dir}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else out.push(part);
  }
  return out.join('/');
}
