import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BulkResult } from '../../src/api/v2-bulk.ts';
import type { Graph, Node } from '../../src/api/v2.ts';
import { newBrain, type Client } from './client.ts';

const bulk = (client: Client, path: string, body: unknown) =>
  client.send<BulkResult>('POST', `/nodes/bulk${path}`, body);
/** An id that no note has; each key has its own, for a note stands in a request once. */
const nobodyOf = (name: string) => `0190a7c4-0000-7000-8000-00000000000${name}`;

/** What a note of the model is: its title and version by its source key. */
type Model = Map<string, { readonly id: string; readonly title: string; readonly version: number }>;

const KEYS = ['a', 'b', 'c', 'd', 'e'];
const key = fc.constantFrom(...KEYS);
const title = fc.constantFrom('sleep and melatonin', 'melatonin by night', 'bread', '');
const mode = fc.constantFrom('partial' as const, 'atomic' as const);
const creation = fc.record({
  does: fc.constant('create' as const),
  mode,
  items: fc.array(fc.record({ key, title }), { minLength: 1, maxLength: 5 }),
});
const change = fc.record({
  does: fc.constantFrom('patch' as const, 'delete' as const),
  mode,
  items: fc.uniqueArray(fc.record({ key, title, isStale: fc.boolean() }), {
    minLength: 1,
    maxLength: 5,
    selector: (item) => item.key,
  }),
});
type Step =
  typeof creation extends fc.Arbitrary<infer C>
    ? C | (typeof change extends fc.Arbitrary<infer D> ? D : never)
    : never;

describe('bulks of good and bad items, one after the other', () => {
  it('leave what a model says: partial ones each good item, atomic ones all or nothing', async () => {
    const client = await newBrain();
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(creation, change), { minLength: 1, maxLength: 6 }),
        async (steps) => {
          // Each run has keys of its own, for a start takes longer than all of its bulks.
          const scope: Scope = { client, prefix: `${(runs += 1)}/` };
          let model: Model = new Map();
          for (const step of steps) model = await taken(scope, model, step);
          const items = [...model.values()].map(({ id }) => ({ id }));
          if (items.length > 0) await bulk(client, '/delete', { mode: 'atomic', items });
        },
      ),
      { numRuns: 40, endOnFailure: true }, // what a failure leaves would fail all that follow
    );
    expect((await client.get<Graph>('/graph')).nodes).toEqual([]);
  });
});

interface Scope {
  readonly client: Client;
  readonly prefix: string;
}

/** Sends one bulk, holds answer and graph against the model, and gives the model after it. */
async function taken({ client, prefix }: Scope, before: Model, step: Step): Promise<Model> {
  const after: Model = new Map(before);
  const statuses = step.items.map((item) => expectedOf(after, step.does, item));
  const isAllGood = statuses.every((status) => status < 400);
  const isRefused = step.mode === 'atomic' && !isAllGood;
  const path = step.does === 'create' ? '' : `/${step.does}`;
  const items = step.items.map((item) => sentOf(before, step.does, item, prefix));
  const { status, body } = await bulk(client, path, { mode: step.mode, items });
  expect(status).toBe(isRefused ? 422 : isAllGood ? 200 : 207);
  const told = isRefused ? [] : body.items;
  expect(told.map((item) => item.status)).toEqual(isRefused ? [] : statuses);
  for (const [at, { id = '' }] of told.entries()) {
    const name = step.items[at]?.key ?? '';
    const known = after.get(name);
    if (statuses[at] === 201 && known) after.set(name, { ...known, id });
  }
  const model = isRefused ? before : after;
  const stored = (await client.all<Node>('/nodes')).map((node) =>
    [node.source.key, node.id, node.title, node.version].join(' '),
  );
  const modelled = [...model].map(([name, note]) =>
    [prefix + name, note.id, note.title, note.version].join(' '),
  );
  expect(stored.sort()).toEqual(modelled.sort());
  return model;
}

type Asked = { readonly key: string; readonly title: string; readonly isStale?: boolean };

function sentOf(
  model: Model,
  does: Step['does'],
  { key: name, title: text, isStale }: Asked,
  prefix: string,
) {
  if (does === 'create') return { title: text, source: { kind: 'api', key: prefix + name } };
  const { id, version } = model.get(name) ?? { id: nobodyOf(name), version: 1 };
  const ifMatch = `"${isStale === true ? version + 1 : version}"`;
  return does === 'patch' ? { id, ifMatch, title: text } : { id, ifMatch };
}

/** The status of an item, and the model with it done. */
function expectedOf(model: Model, does: Step['does'], { key: name, title: text, isStale }: Asked): number {
  const known = model.get(name);
  if (does === 'create') {
    if (known) return 409;
    if (text === '') return 422;
    model.set(name, { id: '', title: text, version: 1 });
    return 201;
  }
  if (!known) return 404;
  if (isStale === true) return 412;
  if (does === 'delete') {
    model.delete(name);
    return 204;
  }
  if (text === '') return 422;
  if (text !== known.title) model.set(name, { ...known, title: text, version: known.version + 1 });
  return 200;
}
