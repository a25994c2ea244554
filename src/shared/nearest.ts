/** The candidate with the smallest edit distance (Levenshtein) to a word: what somebody may have meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  return candidates.toSorted((a, b) => distance(word, a) - distance(word, b))[0];
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
