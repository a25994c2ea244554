import type { Brand } from '../shared/brand.ts';
import { LIMITS } from './limits.ts';
import { refuse, within } from './error.ts';

// Value objects: a value that has one of these types has passed its check. Each factory throws `invalid`.

export type OwnerId = Brand<string, 'OwnerId'>;
export type NodeId = Brand<string, 'NodeId'>;
export type EdgeId = Brand<string, 'EdgeId'>;
export type CategoryId = Brand<string, 'CategoryId'>;
export type TokenId = Brand<string, 'TokenId'>;
export type JobId = Brand<string, 'JobId'>;
/** A number in [0, 1]. */
export type Weight = Brand<number, 'Weight'>;
export type Title = Brand<string, 'Title'>;
export type Content = Brand<string, 'Content'>;
export type Tag = Brand<string, 'Tag'>;
/** `#rrggbb`, lower case. */
export type Color = Brand<string, 'Color'>;
/** RFC 3339 in UTC with milliseconds: sorts as text. */
export type Instant = Brand<string, 'Instant'>;

// No '#': it separates the parts of a storage key, so another owner's key cannot be spelled.
const OWNER = /^[A-Za-z0-9][A-Za-z0-9._@|:-]{0,127}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?)?$/;
const ZONE = /([Zz]|[+-]\d{2}:\d{2})$/;
const DATE_LENGTH = 'yyyy-mm-dd'.length;
const COLOR = /^#[0-9a-f]{6}$/;
const CONTROL = /\p{Cc}/u;

export function ownerId(value: string): OwnerId {
  if (!OWNER.test(value)) refuse('', 'owner', 'an owner is 1 to 128 of A-Z a-z 0-9 . _ @ | : -');
  return value as OwnerId;
}

function uuid(value: string): string {
  const lower = value.toLowerCase();
  if (!UUID.test(lower)) refuse('', 'id', 'an id is a UUID, such as 0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55');
  return lower;
}

export const isUuid = (value: string): boolean => UUID.test(value.toLowerCase());

export const nodeId = (value: string): NodeId => uuid(value) as NodeId;
export const edgeId = (value: string): EdgeId => uuid(value) as EdgeId;
export const categoryId = (value: string): CategoryId => uuid(value) as CategoryId;
export const tokenId = (value: string): TokenId => uuid(value) as TokenId;
export const jobId = (value: string): JobId => uuid(value) as JobId;

export function weight(value: number): Weight {
  if (!Number.isFinite(value) || value < 0 || value > 1)
    refuse('', 'weight', 'a weight is a number from 0 to 1');
  return value as Weight;
}

/** Trims, folds white space and normalises (NFC) a text that stands on one line. */
function line(value: string, what: string, range: { readonly min: number; readonly max: number }): string {
  if (!value.isWellFormed()) refuse('', 'text', `${what} has half a surrogate pair`);
  const text = value.normalize('NFC').replace(/\s+/g, ' ').trim();
  if (CONTROL.test(text)) refuse('', 'text', `${what} has a control character`);
  if (text.length < range.min || text.length > range.max) {
    refuse('', 'length', `${what} has ${range.min} to ${range.max} characters, not ${text.length}`);
  }
  return text;
}

/** A title may be empty: then the note is known by its first line. */
export const title = (value: string): Title =>
  line(value, 'a title', { min: 0, max: LIMITS.titleLength }) as Title;

export const categoryTitle = (value: string): Title =>
  line(value, 'a category title', { min: 1, max: LIMITS.categoryTitleLength }) as Title;

/** A name for people, of something that has an id as well. */
export const label = (value: string, what: string): string =>
  line(value, what, { min: 1, max: LIMITS.labelLength });

export const description = (value: string): string =>
  line(value, 'a description', { min: 0, max: LIMITS.categoryDescriptionLength });

export const icon = (value: string): string =>
  line(value, 'an icon', { min: 1, max: LIMITS.categoryIconLength });

/** Kept to the letter, but for CRLF and CR, which become LF. */
export function content(value: string): Content {
  if (!value.isWellFormed()) refuse('', 'text', 'content has half a surrogate pair');
  if (value.includes('\0')) refuse('', 'text', 'content has a NUL character');
  const text = value.includes('\r') ? value.replace(/\r\n?/g, '\n') : value;
  const bytes = storedBytes(text);
  if (bytes > LIMITS.contentBytes) {
    refuse('', 'length', `content takes ${bytes} bytes; at most ${LIMITS.contentBytes} are kept in one note`);
  }
  return text as Content;
}

/** Bytes of `text` as JSON in UTF-8. Short texts, which cannot reach the limit, are not counted to the byte. */
function storedBytes(text: string): number {
  const worstBytesAUnit = 6; // a control character: \u0001
  if (text.length * worstBytesAUnit <= LIMITS.contentBytes) return text.length;
  return Buffer.byteLength(JSON.stringify(text), 'utf8') - 2;
}

/** Without leading '#'; the spelling is kept. */
export const tag = (value: string): Tag =>
  line(value.replace(/^[#\s]+/, ''), 'a tag', { min: 1, max: LIMITS.tagLength }) as Tag;

/** What two spellings of one tag have in common: `Sleep` and `sleep` are one tag. */
export const tagKey = (value: Tag): string => value.toLowerCase().normalize('NFC');

/** The first spelling of each tag, in the order given. */
export function tags(values: readonly string[]): readonly Tag[] {
  const byKey = new Map<string, Tag>();
  values.forEach((value, index) => {
    const parsed = within(`/${index}`, () => tag(value));
    if (!byKey.has(tagKey(parsed))) byKey.set(tagKey(parsed), parsed);
  });
  if (byKey.size > LIMITS.tags)
    refuse('', 'count', `a note has at most ${LIMITS.tags} tags, not ${byKey.size}`);
  return [...byKey.values()];
}

export function aliases(values: readonly string[]): readonly Title[] {
  const parsed = values.map((value, index) =>
    within(`/${index}`, () => line(value, 'an alias', { min: 1, max: LIMITS.titleLength }) as Title),
  );
  const unique = [...new Set(parsed)];
  if (unique.length > LIMITS.aliases) refuse('', 'count', `a note has at most ${LIMITS.aliases} aliases`);
  return unique;
}

export function color(value: string): Color {
  const lower = value.toLowerCase();
  if (!COLOR.test(lower)) refuse('', 'color', 'a color is written #rrggbb');
  return lower as Color;
}

/** A text is a date and time of RFC 3339; without a time it is midnight, and without a zone it is UTC. */
export function instant(value: string | number | Date): Instant {
  if (typeof value === 'string' && !(RFC_3339.test(value) && isOfCalendar(value)))
    refuse('', 'instant', 'not a date of RFC 3339');
  const zoned =
    typeof value === 'string' && value.length > DATE_LENGTH && !ZONE.test(value) ? `${value}Z` : value;
  const date = new Date(zoned);
  const year = date.getUTCFullYear();
  if (Number.isNaN(date.getTime()) || year < 0 || year > 9999)
    refuse('', 'instant', 'not a date of RFC 3339');
  return date.toISOString() as Instant;
}

/** `Date` takes the 30th of February for the 2nd of March. */
function isOfCalendar(text: string): boolean {
  const day = text.slice(0, DATE_LENGTH);
  const date = new Date(day);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** Where something is in an owner's log: `epoch` names the log, `seq` counts its events from 1 without a gap. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}
