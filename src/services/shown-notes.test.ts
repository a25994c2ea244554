import { expect, it } from 'vitest';
import { OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { createNode } from '../domain/node.ts';
import { instant, nodeId, ownerId } from '../domain/values.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import { Store } from '../storage/store.ts';
import { ShownNotes } from './shown-notes.ts';

const ID = nodeId('0190a7c4-0000-7000-8000-000000000001');
const OTHER = ownerId('another');
const newId = uuidv7Generator(Date.now);

function place({ isShared = false } = {}) {
  const now = () => instant(Date.now());
  const store = new Store({ table: new MemoryTable(), now, newEpoch: newId, correlationId: () => '-' });
  return {
    shown: new ShownNotes({ store, isShared }),
    commit: (owner = OWNER) =>
      store.write(owner, async (tx) => {
        tx.nodes.apply(createNode({ content: 'new' }, { id: nodeId(newId()), owner, now: tx.now }));
      }),
  };
}

const note = (version: number) => ({ version, json: `{"version":${version}}` });

it('a note that was read is kept, and for its owner alone', async () => {
  const { shown } = place();
  await shown.keep(OWNER, ID, async () => note(1));
  expect(shown.find(OWNER, ID)).toEqual(note(1));
  expect(shown.find(OTHER, ID)).toBeUndefined();
});

it('a commit of the owner has ended what was kept when its writer is answered, and one of another has not', async () => {
  const { shown, commit } = place();
  await shown.keep(OWNER, ID, async () => note(1));
  await commit(OTHER);
  expect(shown.find(OWNER, ID)).toEqual(note(1));
  await commit();
  expect(shown.find(OWNER, ID)).toBeUndefined();
});

it('what was read before a commit and comes after it is not kept', async () => {
  const { shown, commit } = place();
  const read = shown.keep(OWNER, ID, async () => {
    await commit();
    return note(1);
  });
  expect(await read).toEqual(note(1));
  expect(shown.find(OWNER, ID)).toBeUndefined();
});

it('a note that cannot be read is not kept', async () => {
  const { shown } = place();
  await expect(shown.keep(OWNER, ID, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  expect(shown.find(OWNER, ID)).toBeUndefined();
});

it('nothing is kept where other processes write', async () => {
  const { shown } = place({ isShared: true });
  await shown.keep(OWNER, ID, async () => note(1));
  expect(shown.find(OWNER, ID)).toBeUndefined();
});
