import * as api from '../api/v2-imports.ts';
import { BrainError } from '../domain/error.ts';
import type { ExportedPart } from '../services/exported.ts';
import type { ImportEntry, ImportNote } from '../services/import-note.ts';
import { checker } from './validation.ts';

/** A longer line is refused before it is whole in memory. */
const LINE_LIMIT = 4 * 1024 * 1024;

const checkNote = checker(api.ImportNote);
/** Each by itself: of a union it would be told what the parts that are not meant lack. */
const checkPart = new Map(
  api.ExportedPart.anyOf.map((part) => [Object.keys(part.properties)[0] ?? '', checker(part)]),
);

/** Lines as what they tell: notes, or the parts of an export. One that is neither is refused under the number of its line. */
export async function* entriesOfLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ImportEntry> {
  let number = 0;
  for await (const line of linesOf(bytes)) {
    number += 1;
    if (line.trim() !== '') yield entryOf(line, number);
  }
}

/** How many lines there are. Throws `malformed` for what is no text of UTF-8, and `too_large` for a line without end. */
export async function countLines(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let count = 0;
  for await (const line of linesOf(bytes)) if (line.trim() !== '') count += 1;
  return count;
}

function entryOf(line: string, number: number): ImportEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    const refused = new BrainError('invalid', 'the line is not JSON', { cause });
    return { key: `line ${number}`, isUnnamed: true, refused };
  }
  const fields = Object.keys(Object(value) as object);
  const part = fields.includes('key') ? undefined : fields.find((field) => checkPart.has(field));
  const issues = (checkPart.get(part ?? '') ?? checkNote)(value);
  if (issues.length === 0)
    return part !== undefined ? partEntry(value as ExportedPart) : (value as ImportNote);
  const { key } = Object(value) as { key?: unknown };
  const message = issues.map((issue) => issue.message).join('; ');
  const refused = new BrainError('invalid', message, { issues });
  return typeof key === 'string' ? { key, refused } : { key: `line ${number}`, isUnnamed: true, refused };
}

function partEntry(part: ExportedPart): ImportEntry {
  if ('node' in part) return { key: part.node.source.key ?? part.node.id, part };
  if ('edge' in part) return { key: `edge ${part.edge.id}`, part };
  if ('category' in part) return { key: `category ${part.category.id}`, part };
  return { key: `decision ${part.decision.a} ${part.decision.b}`, part };
}

/** Without their ends; the last may be empty. Throws `malformed` and `too_large` as `countLines` does. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const piece of body) {
    const lines = (rest + decode(decoder, piece)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LIMIT)
      throw new BrainError('too_large', `a line has at most ${LINE_LIMIT} characters`);
    yield* lines;
  }
  yield rest + decode(decoder, undefined);
}

/** `undefined` for the end of the body, where a letter may have been cut off. */
function decode(decoder: InstanceType<typeof TextDecoder>, piece: Uint8Array | undefined): string {
  try {
    return decoder.decode(piece, { stream: piece !== undefined });
  } catch (cause) {
    throw new BrainError('malformed', 'the body is not UTF-8', { cause, operation: 'http.parse' });
  }
}
