const DEPTH = 3; // of the category tree

interface PlacedTitle {
  readonly id: string;
  readonly title: string;
  readonly parentId: string | null;
}

/** The titles from the root down to a category; empty for one that is not there. */
export function categoryPath(id: string, categories: readonly PlacedTitle[]): string[] {
  const byId = new Map(categories.map((category) => [category.id, category]));
  const path: string[] = [];
  for (
    let at = byId.get(id);
    at && path.length < DEPTH;
    at = at.parentId === null ? undefined : byId.get(at.parentId)
  ) {
    path.unshift(at.title);
  }
  return path;
}
