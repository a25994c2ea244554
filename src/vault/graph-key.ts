// A path of a folder cannot begin so, and a key that does is one of the graph, not one of the folder it is read from.
const MARK = 'brain2:';

/** What an import knows a note by. */
export function keyOf({
  id,
  source,
}: {
  readonly id: string;
  readonly source: { readonly key?: string | undefined };
}): string {
  return source.key ?? id;
}

/** A key of the graph, as an export writes it into a file of Markdown. */
export function markedKey(key: string): string {
  return `${MARK}${key}`;
}

/** The key that an export wrote; undefined for one that comes from the place of the file. */
export function unmarkedKey(key: string): string | undefined {
  return key.startsWith(MARK) ? key.slice(MARK.length) : undefined;
}
