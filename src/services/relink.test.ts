import { expect, it } from 'vitest';
import { OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { servicesOver } from '../../test/support/services-over.ts';
import { deleteEdge } from '../domain/edge.ts';

/** Longer than a process that is not heard of is taken to be alive. */
const LEASE_MS = 60_000;

it('of a run that another process has taken over, each change is told once, and none is lost', async () => {
  const table = new MemoryTable();
  let nowMs = Date.now();
  const place = (beforeLinking?: () => Promise<void>) =>
    servicesOver(table, { beforeLinking, round: { works: 1, ms: 1_000 }, nowMs: () => nowMs });
  const { store, services } = place();
  const contents = [
    'Melatonin follows the circadian rhythm of evening light.',
    'Evening light shifts melatonin and the circadian rhythm.',
    'Sourdough bread needs rye flour and a starter.',
    'A starter of rye flour makes sourdough bread.',
  ];
  for (const content of contents) await services.nodes.create(OWNER, { content });
  await store.write(OWNER, async (tx) => {
    for (const edge of await Array.fromAsync(tx.edges.all()))
      tx.edges.apply(deleteEdge(edge, 'linker', tx.now));
  });

  const [isHeld, isTaken, isOver] = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const slow = place(async () => {
    isHeld?.resolve();
    await isTaken?.promise;
  });
  let links = 0;
  const quick = place(async () => {
    if (++links < 3) return; // the first pair is linked at the turn of its second note
    isTaken?.resolve();
    await isOver?.promise;
  });
  const { id } = await slow.services.relink.start(OWNER, { dryRun: false });
  await isHeld?.promise;
  nowMs += LEASE_MS;
  await quick.services.jobs.resume(OWNER);
  await slow.services.jobs.idle();
  isOver?.resolve();
  await quick.services.jobs.idle();

  expect(await services.relink.get(OWNER, id)).toMatchObject({
    status: 'done',
    result: { counts: { added: 2 } },
  });
  const { items } = await services.relink.changes(OWNER, id, {}, { limit: 10 });
  const edges = await Array.fromAsync(store.read(OWNER).edges.all());
  expect(edges).toHaveLength(2);
  expect(new Set(items.map(({ after }) => after?.id))).toEqual(new Set(edges.map((edge) => edge.id)));
});
