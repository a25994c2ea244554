import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CloudEvent } from '../../src/aws/cloud-event.ts';
import { DETAIL_TYPES } from '../../src/aws/detail-types.ts';
import { EVENT_TYPES, partsOf } from '../../src/domain/event.ts';
import { ownerId } from '../../src/domain/values.ts';
import { keys } from '../../src/storage/keys.ts';
import { graphOf } from '../conformance/store-model.ts';
import { at, execute, type GraphCommand } from '../support/arbitraries.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';
import { newCloud, type Cloud } from './cloud.ts';

let dynamo: TestDynamo;
beforeAll(async () => void (dynamo = await startDynamo()));
afterAll(() => dynamo.stop());

const ALICE = ownerId('alice');
const details = ({ aws }: Cloud): readonly CloudEvent[] =>
  aws.events.map(({ Detail }) => JSON.parse(Detail) as CloudEvent);
const firstSeqs = (cloud: Cloud): readonly number[] => [...new Set(details(cloud).map(({ seq }) => seq))];
const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, n) => n + 1);

/** One of each kind of change. */
const pair = { source: 1, target: 2, type: 'related' } as const;
const EVERYTHING: readonly GraphCommand[] = [
  { kind: 'node.create', node: 1, input: { content: 'one' } },
  { kind: 'node.create', node: 2, input: { content: 'two' } },
  { kind: 'node.update', node: 1, input: { content: 'changed' } },
  { kind: 'node.archive', node: 1 },
  { kind: 'node.restore', node: 1 },
  { kind: 'edge.create', ...pair, input: { origin: 'auto', weight: 0.5 } },
  { kind: 'edge.support', ...pair, support: 'target' },
  { kind: 'edge.status', ...pair, status: 'accepted' },
  { kind: 'edge.weigh', ...pair, weight: 0.7 },
  { kind: 'edge.status', ...pair, status: 'rejected' },
  { kind: 'edge.status', ...pair, status: 'proposed' },
  { kind: 'edge.delete', ...pair },
  { kind: 'category.create', category: 1, parent: null, input: { title: 'a' } },
  { kind: 'category.create', category: 2, parent: null, input: { title: 'b' } },
  { kind: 'category.update', category: 1, input: { title: 'c' } },
  { kind: 'category.move', category: 1, parent: 2 },
  { kind: 'node.assign', node: 1, category: 1, confidence: 1, method: 'manual' },
  { kind: 'node.unassign', node: 1, category: 1 },
  { kind: 'category.delete', category: 1 },
  { kind: 'node.delete', node: 1 },
] as readonly GraphCommand[];

describe('the bus', () => {
  test('is given every type of event that there is, under its name, and none that no rule can name', async () => {
    const cloud = await newCloud(dynamo);
    await cloud.clientOf('alice');
    for (const [second, command] of EVERYTHING.entries())
      await cloud.parts.store.write(ALICE, (tx) => execute(command, graphOf(tx), at(second)));
    await cloud.stream();
    const emitted = new Set(cloud.aws.events.map(({ DetailType }) => DetailType));
    expect([...emitted].sort()).toEqual([...DETAIL_TYPES].sort());
    expect([...DETAIL_TYPES].sort()).toEqual([...EVENT_TYPES].sort());
    const { events, epoch } = await cloud.parts.store.changes(ALICE, { seq: 0 }, 1_000);
    expect(details(cloud)).toEqual(
      events.map(({ seq, at: time, correlationId, event }) => {
        const { type, version, ids, data } = partsOf(event);
        return {
          specversion: '1.0',
          id: `alice/${epoch}/${seq}`,
          source: '/brain2/owners/alice',
          type,
          subject: Object.values(ids)[0],
          time,
          datacontenttype: 'application/json',
          owner: 'alice',
          epoch,
          seq,
          version,
          correlationid: correlationId,
          data: JSON.parse(JSON.stringify({ ...ids, ...data })) as object,
        };
      }),
    );
    expect(new Set(cloud.aws.events.map(({ Source }) => Source))).toEqual(new Set(['brain2']));
  });

  test('loses nothing when it refuses entries, when the stream repeats itself, and when two are at it', async () => {
    const cloud = await newCloud(dynamo);
    cloud.aws.mischief = { ...cloud.aws.mischief, refusedEntry: 0.3 };
    const { http } = await cloud.clientOf('alice');
    for (let n = 0; n < 30; n++) await http.nodes.create({ content: `note ${n} of its own kind` });
    const wake = { Records: [{ dynamodb: { SequenceNumber: '1', Keys: { pk: { S: 'alice#EV' } } } }] };
    await Promise.all([cloud.outbox(wake), cloud.outbox(wake), cloud.stream()]);
    await cloud.stream();
    const { seq } = await cloud.parts.store.head(ALICE);
    expect([...firstSeqs(cloud)].sort((a, b) => a - b)).toEqual(upTo(seq));
    const given = cloud.aws.events.length;
    await cloud.outbox(wake);
    expect(cloud.aws.events.length).toBe(given); // its position is stored: what was given is not given again
  });

  test('is given in order what one reader puts there, and after a long break goes on where it stopped', async () => {
    const cloud = await newCloud(dynamo);
    const { http } = await cloud.clientOf('alice');
    await http.nodes.create({ content: 'before the break' });
    await cloud.stream();
    for (let n = 0; n < 25; n++) await http.nodes.create({ content: `in the break ${n}` });
    const { handler, close } = await cloud.upkeep(); // nobody was woken: the schedule finds it
    await handler({}, { getRemainingTimeInMillis: () => 900_000 });
    await close();
    const { seq } = await cloud.parts.store.head(ALICE);
    expect(details(cloud).map((event) => event.seq)).toEqual(upTo(seq));
  });

  test('is given nothing while a migration fills the table, and no function begins', async () => {
    const cloud = await newCloud(dynamo);
    const { table, store } = cloud.parts;
    const { http } = await cloud.clientOf('alice');
    await http.nodes.create({ content: 'copied with the log that it is in' });
    const { handler, close } = await cloud.upkeep();
    const position = { source: 'sqlite ./anew', stage: 'copying', items: 1 };
    await table.transact([
      [{ put: { ...keys.migration(), et: 'migration.1', j: JSON.stringify(position) } }],
    ]);
    const wake = { Records: [{ dynamodb: { SequenceNumber: '1', Keys: { pk: { S: 'alice#EV' } } } }] };
    const conflict = { code: 'conflict' };
    await expect(cloud.outbox(wake)).rejects.toMatchObject(conflict);
    await expect(handler({}, { getRemainingTimeInMillis: () => 900_000 })).rejects.toMatchObject(conflict);
    await expect(cloud.coldStart()).rejects.toMatchObject(conflict);
    expect(await table.get(keys.cursor('bus', ALICE))).toBe(undefined);
    await table.transact([[{ del: keys.migration() }]]);
    await cloud.outbox(wake); // the stream comes again
    expect(firstSeqs(cloud)).toEqual(upTo((await store.head(ALICE)).seq));
    await close();
  });

  test('is told of an event that is too large for it without its data, and where that is read', async () => {
    const cloud = await newCloud(dynamo);
    const { http } = await cloud.clientOf('alice');
    const { id } = await http.nodes.create({ content: 'x'.repeat(290_000) });
    await cloud.stream();
    const [event] = details(cloud);
    expect(event).toMatchObject({ subject: id, data: null });
    expect(event?.dataref).toMatch(/^\/api\/v2\/changes\?after=0&epoch=.+&limit=1$/);
  });
});

test('an owner for whom there is no time left keeps upkeep from none of the others', async () => {
  const cloud = await newCloud(dynamo);
  for (const owner of ['alice', 'bob'])
    await (await cloud.clientOf(owner)).http.nodes.create({ content: owner });
  const { handler, close } = await cloud.upkeep();
  const leftMs = [900_000, 900_000, 10_001]; // alice is begun, and then there is a millisecond for her
  await handler({}, { getRemainingTimeInMillis: () => leftMs.shift() ?? 0 });
  expect([...cloud.aws.objects.keys()]).toEqual([]);
  await handler({}, { getRemainingTimeInMillis: () => 900_000 });
  expect([...cloud.aws.objects.keys()]).toContain('/bucket/indexes/bob.idx.zst');
  await handler({}, { getRemainingTimeInMillis: () => 900_000 });
  expect([...cloud.aws.objects.keys()].sort()).toEqual(
    ['alice', 'bob'].map((owner) => `/bucket/indexes/${owner}.idx.zst`),
  );
  await close();
});

describe('the index of an owner', () => {
  test('is kept in the bucket, and the next function begins with it', async () => {
    const cloud = await newCloud(dynamo);
    const { http } = await cloud.clientOf('alice');
    await http.nodes.create({ title: 'Melatonin', content: 'the hormone of the circadian rhythm' });
    const { handler, close } = await cloud.upkeep();
    const key = '/bucket/indexes/alice.idx.zst';
    await handler({}, { getRemainingTimeInMillis: () => 900_000 });
    const stored = cloud.aws.objects.get(key);
    expect(stored?.length).toBeGreaterThan(100);
    await http.nodes.create({ content: 'what comes after it is in the tail of the log' });
    await handler({}, { getRemainingTimeInMillis: () => 900_000 });
    expect(cloud.aws.objects.get(key)).toBe(stored); // a tail of one event is not worth another
    await close();
    const reads = cloud.aws.reads.length;
    const stop = await cloud.coldStart();
    expect((await http.search('melatonin')).items).toHaveLength(1);
    expect((await http.search('tail')).items).toHaveLength(1);
    expect(cloud.aws.reads.slice(reads)).toEqual([key]);
    await stop();
  });

  test('is made anew where the bucket does not answer', async () => {
    const cloud = await newCloud(dynamo);
    const { http } = await cloud.clientOf('alice');
    await http.nodes.create({ title: 'Melatonin', content: 'the hormone of the circadian rhythm' });
    const stop = await cloud.coldStart();
    cloud.aws.mischief = { ...cloud.aws.mischief, deaf: 'bucket' };
    expect((await http.search('melatonin')).items).toHaveLength(1);
    cloud.aws.mischief = { ...cloud.aws.mischief, deaf: '' };
    await stop();
  });

  test('is made anew where the bucket has one that is damaged', async () => {
    const cloud = await newCloud(dynamo);
    const { http } = await cloud.clientOf('alice');
    await http.nodes.create({ title: 'Melatonin', content: 'the hormone of the circadian rhythm' });
    cloud.aws.objects.set('/bucket/indexes/alice.idx.zst', Buffer.from('this is no index'));
    const stop = await cloud.coldStart();
    expect((await http.search('melatonin')).items).toHaveLength(1);
    await stop();
  });
});
