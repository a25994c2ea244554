import { expect, it } from 'vitest';
import { OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { servicesOver } from '../../test/support/services-over.ts';
import type { CategoryId } from '../domain/values.ts';
import { pks } from '../storage/keys.ts';

it('a rebuild moves no note into a category that was deleted meanwhile', async () => {
  const table = new MemoryTable();
  const { services } = servicesOver(table);
  const { categories, nodes, rebuild } = services;
  const ids: CategoryId[] = [];
  for (const title of ['Work', 'work']) {
    const { category } = await categories.create(OWNER, { title });
    const { node } = await nodes.create(OWNER, { title: `In ${title}` });
    await categories.assign(OWNER, category.id, node.id);
    ids.push(category.id);
  }
  const query = table.query.bind(table);
  let reads = 0;
  table.query = async (pk, options) => {
    const page = await query(pk, options);
    // The third read is that of a merge, of the categories below the one that goes.
    if (pk === pks.categories(OWNER) && ++reads === 3) await categories.delete(OWNER, ids[0]!);
    return page;
  };
  await expect(rebuild.rebuild(OWNER)).rejects.toMatchObject({ code: 'contended' });
  const there = (await categories.list(OWNER)).map(({ category }) => category.id);
  const { items } = await nodes.list(OWNER, { sort: 'createdAt' }, { limit: 10 });
  const given = items.flatMap((node) => node.categories.map(({ categoryId }) => categoryId));
  expect([there, given]).toEqual([[ids[1]], [ids[1]]]);
  await expect(rebuild.rebuild(OWNER)).resolves.toMatchObject({ processed: 1 });
});
