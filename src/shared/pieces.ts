/** The same in pieces of at most `count`. */
export function piecesOf<T>(all: readonly T[], count: number): readonly (readonly T[])[] {
  const pieces = Math.ceil(all.length / count);
  return Array.from({ length: pieces }, (_, n) => all.slice(n * count, (n + 1) * count));
}
