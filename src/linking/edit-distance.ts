/**
 * Whether two words differ by at most `most` insertions, deletions, changes or swaps of neighbours. `most`
 * is 2 at most: the ways to go on from a difference are all tried, and nearly all words differ too much
 * within a few letters.
 */
export function editDistanceWithin(a: string, b: string, most: 0 | 1 | 2): boolean {
  return Math.abs(a.length - b.length) <= most && within(a, 0, b, 0, most);
}

function within(a: string, startA: number, b: string, startB: number, most: number): boolean {
  let atA = startA;
  let atB = startB;
  while (atA < a.length && atB < b.length && a.charCodeAt(atA) === b.charCodeAt(atB)) {
    atA++;
    atB++;
  }
  const [leftA, leftB] = [a.length - atA, b.length - atB];
  if (leftA === 0 || leftB === 0) return leftA + leftB <= most;
  if (Math.abs(leftA - leftB) > most || most === 0) return false;
  return (
    within(a, atA + 1, b, atB + 1, most - 1) ||
    within(a, atA + 1, b, atB, most - 1) ||
    within(a, atA, b, atB + 1, most - 1) ||
    (leftA > 1 &&
      leftB > 1 &&
      a.charCodeAt(atA) === b.charCodeAt(atB + 1) &&
      a.charCodeAt(atA + 1) === b.charCodeAt(atB) &&
      within(a, atA + 2, b, atB + 2, most - 1))
  );
}
