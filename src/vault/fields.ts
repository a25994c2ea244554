import type { Frontmatter, FrontmatterValue } from './simple-yaml.ts';

const MAX_CATEGORY_DEPTH = 3;

/** The first of `names` that the frontmatter has with a value, whatever the case of its key. */
export function findField(fields: Frontmatter, ...names: readonly string[]): FrontmatterValue | undefined {
  for (const name of names) {
    const exact = fields.get(name);
    if (exact !== undefined && exact !== null) return exact;
  }
  for (const [key, value] of fields) {
    if (value !== null && typeof key === 'string' && names.includes(key.toLowerCase())) return value;
  }
  return undefined;
}

/** A field as one line of text; `undefined` if it is empty or no text. */
export function readText(value: FrontmatterValue | undefined): string | undefined {
  if (typeof value !== 'string') return undefined;
  const line = oneLine(value);
  return line === '' ? undefined : line;
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** A list, or a text with commas, as the texts in it. */
function readList(value: FrontmatterValue | undefined): string[] {
  if (typeof value === 'string') return value.split(',').map(oneLine).filter(Boolean);
  if (!Array.isArray(value)) return [];
  const items: string[] = [];
  for (const item of value as readonly FrontmatterValue[]) {
    const text = readText(item);
    if (text !== undefined) items.push(text);
  }
  return items;
}

/** Tags of a frontmatter, without `#`. A text without commas is split at blanks if Obsidian would: `tags: a b`. */
export function readTags(fields: Frontmatter): string[] {
  const tags: string[] = [];
  for (const name of ['tags', 'tag', 'keywords']) {
    const value = findField(fields, name);
    const blanks = typeof value === 'string' && name !== 'keywords' && !value.includes(',');
    tags.push(...(blanks ? value.split(/\s+/) : readList(value)));
  }
  return tags.map((tag) => tag.replace(/^#+/, '').trim()).filter((tag) => tag !== '' && !tag.includes('[['));
}

/** Aliases of a frontmatter that are names; those of Hugo that are paths are `readRedirects`. */
export function readAliases(fields: Frontmatter): string[] {
  return aliasFields(fields).filter((alias) => !/^\.{0,2}\/|\[\[/.test(alias));
}

/** Site paths under which a note is reached too: Hugo's `aliases` and `url`. */
export function readRedirects(fields: Frontmatter): string[] {
  const url = readText(findField(fields, 'url'));
  return [...aliasFields(fields), ...(url === undefined ? [] : [url])].filter((path) => path.startsWith('/'));
}

function aliasFields(fields: Frontmatter): string[] {
  return [...readList(findField(fields, 'aliases')), ...readList(findField(fields, 'alias'))];
}

/** Each text once, whatever its case; the first spelling stays. */
export function unique(texts: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const text of texts) {
    const key = text.normalize('NFC').toLowerCase();
    if (!seen.has(key)) seen.set(key, text);
  }
  return [...seen.values()];
}

/** The category path of the first category named: `a/b` is b under a, `\/` a slash in a title. */
export function readCategory(fields: Frontmatter): string[] | undefined {
  const value = findField(fields, 'categories', 'category');
  const first = typeof value === 'string' ? readText(value) : readList(value)[0];
  return first === undefined ? undefined : categoryOf(first.split(/(?<!\\)\//).map(unescapeSlash));
}

/** A category path of at most three titles; what lies deeper belongs to the third. */
export function categoryOf(titles: readonly string[]): string[] | undefined {
  const path = titles.map(oneLine).filter(Boolean).slice(0, MAX_CATEGORY_DEPTH);
  return path.length === 0 ? undefined : path;
}

function unescapeSlash(title: string): string {
  return title.replaceAll('\\/', '/');
}

export function readCreated(fields: Frontmatter): string | undefined {
  return readDate(findField(fields, 'created', 'date', 'created_at', 'createdat', 'date created'));
}

export function readUpdated(fields: Frontmatter): string | undefined {
  return readDate(
    findField(fields, 'updated', 'lastmod', 'modified', 'updated_at', 'updatedat', 'date modified'),
  );
}

const DATE =
  /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[Tt\s]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?/;
const ZONE = /^\s*(?:[Zz]|UTC|GMT|([+-])(\d{1,2}):?(\d{2})?)?\s*$/;
const MIN_MS = 1e11; // 1973 in milliseconds, the year 5138 in seconds: it tells the two apart

/**
 * RFC 3339 in UTC from what notes hold: RFC 3339, the timestamps of YAML 1.1 (`2001-12-14 21:59:43.10 -5`), plain
 * dates, and milliseconds or seconds since 1970. A time without a zone is UTC. Anything else is `undefined`.
 */
export function readDate(value: FrontmatterValue | undefined): string | undefined {
  const text = readText(value);
  if (text === undefined) return undefined;
  if (/^\d{9,15}(?:\.\d+)?$/.test(text)) {
    const number = Number(text);
    return formatDate(Math.floor(number < MIN_MS ? number * 1000 : number));
  }
  const date = DATE.exec(text);
  const zone = date && ZONE.exec(text.slice(date[0].length));
  if (!date || !zone) return undefined;
  const [year, month, day, hour, minute, second] = date.slice(1, 7).map((part) => Number(part ?? 0));
  const ms = Number((date[7] ?? '').padEnd(3, '0').slice(0, 3));
  const local = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second, ms);
  if (new Date(local).getUTCDate() !== day || (hour ?? 0) > 23 || (minute ?? 0) > 59) return undefined;
  if ((month ?? 0) < 1 || (month ?? 0) > 12) return undefined;
  const offset = Number(zone[2] ?? 0) * 60 + Number(zone[3] ?? 0);
  return formatDate(local - (zone[1] === '-' ? -offset : offset) * 60_000);
}

/** RFC 3339 of a time in milliseconds since 1970, or `undefined` where a calendar of four digits has none. */
export function formatDate(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(ms) || !(date.getTime() >= -62_135_596_800_000 && date.getTime() < 253_402_300_800_000)
    ? undefined
    : date.toISOString();
}
