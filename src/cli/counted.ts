/** `1 note`, `2 notes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** What a graph holds, as every command says it. */
export function holdings(graph: {
  readonly notes: number;
  readonly edges: number;
  readonly categories?: number;
}): string {
  const { notes, edges, categories } = graph;
  const counts = [counted(notes, 'note'), counted(edges, 'edge')];
  if (categories !== undefined) counts.push(counted(categories, 'category', 'categories'));
  return counts.join(', ');
}
