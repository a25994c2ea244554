import type { Category } from '../api/v2.ts';
import { allPages } from '../client/all-pages.ts';
import type { BrainClient } from '../client/http-client.ts';
import { categoryPath } from '../vault/category-path.ts';

/**
 * The categories of the demo, parents first: the folders of its notes, with a description each. By that description
 * the demo knows its own again; one of the same name that was there before it is not touched.
 */
export const DEMO_CATEGORIES: ReadonlyMap<string, string> = new Map([
  ['Body', 'What goes on in us without being asked.'],
  ['Body/Sleep', 'Why we sleep, when, and what keeps us from it.'],
  ['Body/Sleep/Light', 'How the body learns what time it is.'],
  ['Earth', 'The sea, and how to find the way over it.'],
  ['Earth/Maps', 'What is kept and what is lost when the world is drawn flat.'],
  ['Earth/Navigation', 'Knowing where one is.'],
  ['Earth/Tides', 'The sea and the Moon.'],
  ['Kitchen', 'Things to eat and drink, and the chemistry in them.'],
  ['Kitchen/Bread', 'Flour, water, salt and time.'],
  ['Kitchen/Bread/Fermentation', 'What microbes do for the cook.'],
  ['Kitchen/Tea', 'One leaf and what becomes of it; caffeine.'],
  ['Mathematics', 'Two corners of it, for people who like stories.'],
  ['Mathematics/Graphs', 'Points, and which of them are joined.'],
  ['Mathematics/Probability', 'What to expect.'],
  ['Mind', 'How to keep what one has learned.'],
  ['Mind/Memory', 'What stays, what goes, and what helps.'],
  ['Mind/Notes', 'Paper and other places to think in.'],
  ['Music', 'Bach, and the arithmetic under the keys.'],
  ['Music/Bach', 'Some pieces and a long walk.'],
  ['Music/Tuning', 'Why no keyboard is ever in tune.'],
  ['Nature', 'Bees and trees.'],
  ['Nature/Bees', 'What a brain of a million cells can do.'],
  ['Nature/Forest', 'Trees, and those who live on them.'],
  ['Nature/Forest/Fungi', 'Neither plants nor animals.'],
  ['Post', 'How letters travelled, and what travelled with them.'],
]);

/** Makes those that are not there yet, and gives how many. */
export async function makeCategories(client: BrainClient): Promise<number> {
  const known = new Map((await listed(client)).map(({ path, category }) => [path, category.id]));
  let made = 0;
  for (const [path, description] of DEMO_CATEGORIES) {
    if (known.has(path)) continue;
    const [title = '', ...above] = path.split('/').toReversed();
    const parentId = known.get(above.toReversed().join('/')) ?? null;
    known.set(path, (await client.categories.create({ title, description, parentId })).id);
    made += 1;
  }
  return made;
}

/** Deletes those that the demo made and that are empty. Gives how many, and the paths of those that are not. */
export async function removeCategories(
  client: BrainClient,
): Promise<{ readonly removed: number; readonly kept: readonly string[] }> {
  const all = await listed(client);
  const filled = new Set<string>();
  const kept: string[] = [];
  let removed = 0;
  for (const { path, category } of all.toReversed()) {
    const isOurs = DEMO_CATEGORIES.get(path) === category.description;
    if (isOurs && category.noteCount === 0 && !filled.has(category.id)) {
      await client.categories.delete(category.id, category.version);
      removed += 1;
      continue;
    }
    if (isOurs) kept.unshift(path);
    if (category.parentId !== null) filled.add(category.parentId);
  }
  return { removed, kept };
}

/** All categories with their paths, parents before what is below them. */
async function listed(
  client: BrainClient,
): Promise<readonly { readonly path: string; readonly category: Category }[]> {
  const all = await Array.fromAsync(allPages(client.categories.list));
  return all.map((category) => ({ path: categoryPath(category.id, all).join('/'), category }));
}
