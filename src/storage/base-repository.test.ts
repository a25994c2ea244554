import { describe, expect, test } from 'vitest';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { ownerId } from '../domain/values.ts';
import { BaseRepository, type Schema } from './base-repository.ts';

interface Thing {
  readonly id: string;
  readonly name: string;
  readonly size: number;
}

const owner = ownerId('alice');
const THING: Schema<Thing, string> = {
  et: 'thing',
  payloadVersion: 3,
  upcasts: {
    1: (payload: { readonly id: string; readonly title: string }) => ({
      id: payload.id,
      name: payload.title,
    }),
    2: (payload: { readonly id: string; readonly name: string }) => ({
      ...payload,
      size: payload.name.length,
    }),
  },
  key: (_owner, id) => ({ pk: 'things', sk: id }),
  partition: () => 'things',
  idOf: (thing) => thing.id,
  version: () => undefined,
};

async function stored(et: string, j: string): Promise<BaseRepository<Thing, string>> {
  const table = new MemoryTable();
  await table.transact([[{ put: { pk: 'things', sk: 'a', et, j } }]]);
  return new BaseRepository(THING, owner, table);
}

describe('a payload', () => {
  test.each([
    ['thing.1', '{"id":"a","title":"old"}'],
    ['thing.2', '{"id":"a","name":"old"}'],
    ['thing.3', '{"id":"a","name":"old","size":3}'],
  ])('[ST37] of %s is read as the current version', async (et, j) => {
    const things = await stored(et, j);
    const expected = { id: 'a', name: 'old', size: 3 };
    expect(await things.get('a')).toEqual(expected);
    expect(await things.batchGet(['a'])).toEqual([expected]);
    expect((await things.list()).items).toEqual([expected]);
  });

  test.each([
    ['of another kind', 'node.1', '{}'],
    ['that is not JSON', 'thing.3', '{"id":'],
    ['of a version before all that are known', 'thing.0', '{}'],
  ])('[ST37] %s is refused as corrupt', async (_what, et, j) => {
    await expect((await stored(et, j)).find('a')).rejects.toMatchObject({ code: 'corrupt' });
  });
});

test('get names what is not there, and a repository for reading does not write', async () => {
  const things = await stored('thing.3', '{}');
  await expect(things.get('b')).rejects.toMatchObject({ code: 'not_found', operation: 'thing.get' });
  expect(await things.find('b')).toBeUndefined();
  expect(await things.existing(['b', 'a'])).toEqual(['a']);
  expect(() => things.replace(undefined, { id: 'b', name: 'b', size: 1 })).toThrow('opened for reading');
});
