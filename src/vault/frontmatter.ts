import { parse as parseToml, TomlError } from 'smol-toml';
import { isMap, parseDocument } from 'yaml';

import { parseSimpleYaml } from './simple-yaml.ts';
import type { Frontmatter, FrontmatterValue } from './simple-yaml.ts';

export interface SplitNote {
  readonly fields: Frontmatter;
  /** The block as written, without its fences; `''` where the note has none. */
  readonly source: string;
  /** What follows the block; the whole text where there is none, or where it is broken: no text is ever lost. */
  readonly body: string;
  /** Lines before `body` in the file. */
  readonly bodyLine: number;
  readonly problem?: { readonly line: number; readonly message: string };
}

const MAX_FRONTMATTER = 64 * 1024; // a parser's time on hostile nesting is bounded by this
const MAX_ALIASES = 100; // "billion laughs"
const NONE: Frontmatter = new Map();

/** Takes YAML (`---`) or TOML (`+++`) frontmatter off a text with LF line ends. */
export function splitFrontmatter(text: string): SplitNote {
  const whole: SplitNote = { fields: NONE, source: '', body: text, bodyLine: 0 };
  const fence = text.slice(0, 3);
  if (fence !== '---' && fence !== '+++') return whole;
  const start = lineEnd(text, 0);
  if (text.slice(3, start).trim() !== '' || start >= text.length) return whole;
  const close = findClose(text, start + 1, fence);
  if (!close) {
    const opensFields = /^[A-Za-z_][\w -]*[:=]/.test(text.slice(start + 1, start + 80));
    return opensFields ? { ...whole, problem: { line: 1, message: `no closing ${fence}` } } : whole;
  }
  const source = text.slice(start + 1, close.start);
  const parsed = fence === '---' ? readYaml(source) : readToml(source);
  if ('message' in parsed) {
    return { ...whole, problem: { line: parsed.line + 1, message: parsed.message }, fields: salvage(source) };
  }
  let lines = 2;
  for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) lines++;
  return { fields: parsed.fields, source, body: text.slice(close.end), bodyLine: lines };
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function findClose(text: string, from: number, fence: string): { start: number; end: number } | undefined {
  for (let at = from; at < text.length; at = lineEnd(text, at) + 1) {
    const mark = text.slice(at, at + 3);
    if (mark !== fence && !(fence === '---' && mark === '...')) continue;
    const end = lineEnd(text, at);
    if (text.slice(at + 3, end).trim() === '') return { start: at, end: Math.min(end + 1, text.length) };
  }
  return undefined;
}

type Parsed = { readonly fields: Frontmatter } | { readonly line: number; readonly message: string };

function readYaml(source: string): Parsed {
  const simple = parseSimpleYaml(source);
  return simple ? { fields: simple } : readFullYaml(source);
}

/** Reads a YAML mapping, every scalar as text, by the library alone: what the fast reader must agree with. */
export function readFullYaml(source: string): Parsed {
  if (source.length > MAX_FRONTMATTER)
    return { line: 1, message: `longer than ${MAX_FRONTMATTER} characters` };
  try {
    const document = parseDocument(source, {
      schema: 'failsafe',
      customTags: ['null'],
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    });
    const error = document.errors[0];
    if (error) return { line: lineOf(source, error.pos[0]), message: firstLine(error.message) };
    if (document.contents === null) return { fields: NONE };
    if (!isMap(document.contents)) return { line: 1, message: 'not a list of "key: value"' };
    const value: unknown = document.toJS({ mapAsMap: true, maxAliasCount: MAX_ALIASES });
    return { fields: value instanceof Map ? (value as Frontmatter) : NONE };
  } catch (error) {
    return { line: 1, message: firstLine(error instanceof Error ? error.message : String(error)) };
  }
}

function readToml(source: string): Parsed {
  if (source.length > MAX_FRONTMATTER)
    return { line: 1, message: `longer than ${MAX_FRONTMATTER} characters` };
  try {
    const fields = new Map<string, FrontmatterValue>();
    for (const [key, value] of Object.entries(parseToml(source))) fields.set(key, asText(value));
    return { fields };
  } catch (error) {
    const line = error instanceof TomlError ? error.line : 1;
    return { line, message: firstLine(error instanceof Error ? error.message : String(error)) };
  }
}

function asText(value: unknown): FrontmatterValue {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, inner]) => [key, asText(inner)]));
  }
  return String(value);
}

/** From a block that no parser takes (`title: Part 2: the end`), the title is still worth having. */
function salvage(source: string): Frontmatter {
  const title = /^title[ \t]*[:=][ \t]*(\S.*)$/m.exec(source.slice(0, MAX_FRONTMATTER))?.[1]?.trim();
  if (title === undefined || /^[|>[{&*!]/.test(title)) return NONE;
  return new Map([['title', title.replace(/^(["'])(.*)\1$/, '$2')]]);
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

function firstLine(message: string): string {
  return message.slice(0, lineEnd(message, 0)).replace(/:$/, '');
}
