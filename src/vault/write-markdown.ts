import type { VaultNote } from './types.ts';

/** What a file of Markdown can carry of a note; a note of a vault is one. */
export type WritableNote = Omit<VaultNote, 'links'>;

// read back as the very text by every reader of YAML; anything else is quoted
const PLAIN = /^[A-Za-z][A-Za-z0-9 _./+()-]*(?<![ ])$/;
const RESERVED = /^(?:null|true|false|yes|no|on|off|y|n)$/i;
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u007f-\u009f\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * Renders a note as Markdown with YAML frontmatter. Read back with categories from the frontmatter, it gives the same
 * key, title, content, aliases, tags, times and category. `linkedKeys` are links that the text itself does not carry.
 */
export function writeMarkdown(note: WritableNote, linkedKeys: readonly string[] = []): string {
  const lines = ['---', `title: ${quote(note.title)}`];
  list(lines, 'tags', note.tags);
  list(lines, 'aliases', note.aliases);
  if (note.category) lines.push(`category: ${quote(note.category.map(escapeSlash).join('/'))}`);
  if (note.createdAt !== undefined) lines.push(`created: ${note.createdAt}`);
  if (note.updatedAt !== undefined) lines.push(`updated: ${note.updatedAt}`);
  lines.push(`brain2_key: ${quote(note.key)}`);
  list(lines, 'brain2_links', linkedKeys);
  return `${lines.join('\n')}\n---\n${note.content}`;
}

function list(lines: string[], key: string, values: readonly string[]): void {
  if (values.length > 0) lines.push(`${key}:`, ...values.map((value) => `  - ${quote(value)}`));
}

function escapeSlash(title: string): string {
  return title.replaceAll('/', '\\/');
}

/** JSON is YAML, but for the few characters that YAML wants escaped and JSON does not. */
function quote(text: string): string {
  if (PLAIN.test(text) && !RESERVED.test(text)) return text;
  return JSON.stringify(text).replace(
    UNPRINTABLE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
