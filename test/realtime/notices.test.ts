import { expect, onTestFinished, test } from 'vitest';
import { connectBrain } from '../../src/client/client.ts';
import { instant } from '../../src/domain/values.ts';
import type { JobProgress } from '../../src/domain/notice.ts';
import { runInBackground } from '../../src/shared/context.ts';
import { settle } from '../support/manual-clock.ts';
import { ALICE, BOB, create, greeted, idOf, newHub, Peer } from './peer.ts';
import { listeningBrain } from './server.ts';

const JOB = idOf(900);

const progress = (done: number, more: Partial<JobProgress> = {}): JobProgress => ({
  type: 'job.progress',
  jobId: JOB,
  kind: 'import',
  status: 'running',
  progress: { done, total: 10, failed: 0 },
  at: instant('2026-01-02T03:04:05.000Z'),
  ...more,
});

const doneOf = (peer: Peer): readonly number[] => peer.of('notice').map(({ data }) => data.progress.done);

test('[RT11] the progress of a job is told to its owner at once, with the correlation of the call', async () => {
  const { hub } = newHub();
  const [alice, bob] = [await greeted(hub), await greeted(hub, { token: 'bob' })];
  runInBackground({ ownerId: ALICE, id: 'run-1' }, () => hub.tell(ALICE, progress(3)));
  expect(alice.of('notice')).toEqual([
    {
      action: 'notice',
      type: 'job.progress',
      jobId: JOB,
      data: { kind: 'import', status: 'running', progress: { done: 3, total: 10, failed: 0 } },
      ref: `/api/v2/jobs/${JOB}`,
      timestamp: '2026-01-02T03:04:05.000Z',
      correlationId: 'run-1',
    },
  ]);
  hub.tell(BOB, progress(1, { progress: { done: 7, failed: 1 } }));
  expect([doneOf(alice), doneOf(bob)]).toEqual([[3], [7]]);
});

test('[RT11] of a job that goes fast the first word is told at once, then the last one every 250 ms', async () => {
  const { hub, clock } = newHub();
  const peer = await greeted(hub);
  const other = idOf(901);
  for (let done = 0; done < 1_000; done++) hub.tell(ALICE, progress(done));
  hub.tell(ALICE, progress(5, { jobId: other }));
  expect(doneOf(peer)).toEqual([0, 5]);
  await clock.advance(250);
  expect(doneOf(peer)).toEqual([0, 5, 999]);
  hub.tell(ALICE, progress(1_000, { status: 'succeeded' }));
  expect(doneOf(peer)).toHaveLength(3);
  await clock.advance(250);
  expect(peer.of('notice').at(-1)?.data).toMatchObject({ status: 'succeeded', progress: { done: 1_000 } });
  await clock.advance(1_000);
  hub.tell(ALICE, progress(0));
  expect(doneOf(peer)).toEqual([0, 5, 999, 1_000, 0]);
});

test('[RT11] a filter by types decides, and one that asks for notes leaves it out', async () => {
  const { hub } = newHub();
  const filters = [
    { types: ['job.*'] },
    { types: ['job.progress', 'node.*'] },
    { types: ['*'] },
    { types: ['node.*'] },
    { nodeIds: [idOf(1)] },
    { tags: ['odd'] },
  ];
  const peers = await Promise.all(filters.map((filter) => greeted(hub, { filter })));
  const silent = await greeted(hub, { filter: null });
  hub.tell(ALICE, progress(1));
  expect([...peers, silent].map((peer) => doneOf(peer).length)).toEqual([1, 1, 1, 0, 0, 0, 0]);
});

test('[RT11] it moves nobody and is not told again: not to one who comes later, resumes, or is too slow', async () => {
  const { hub, store, clock } = newHub({ limits: { lagBytes: 10_000 } });
  const [peer, slow] = [await greeted(hub), await greeted(hub)];
  const unwelcomed = new Peer(hub);
  slow.isStalled = true;
  await create(store, ALICE, [1], { content: 'x'.repeat(12_000) });
  await clock.advance(100);
  hub.tell(ALICE, progress(1));
  await create(store, ALICE, [2]);
  await clock.advance(100);
  expect(peer.events.map(({ prev, seq }) => [prev, seq])).toEqual([
    [0, 1],
    [1, 2],
  ]);
  expect([doneOf(peer), doneOf(slow), unwelcomed.frames]).toEqual([[1], [], []]);
  const late = await greeted(hub, { resume: { epoch: (await store.head(ALICE)).epoch, seq: 0 } });
  await settle();
  expect([late.seqs, doneOf(late)]).toEqual([[1, 2], []]);
});

test('[RT11] it costs nothing when nobody listens, and a word that waits goes with the last listener', async () => {
  const { hub, clock } = newHub();
  hub.tell(ALICE, progress(1));
  expect(clock.waiting).toBe(0);
  const peer = await greeted(hub);
  hub.tell(ALICE, progress(2));
  hub.tell(ALICE, progress(3));
  peer.session.gone(1001);
  expect([doneOf(peer), clock.waiting]).toEqual([[2], 0]);
});

test('[RT11] the client hands it to its listener, and as a server-sent event it comes under its action', async () => {
  const { brain, url } = await listeningBrain();
  const client = connectBrain({ url }).events({ filter: { types: ['job.*'] } });
  onTestFinished(() => client.stop());
  const live = Promise.withResolvers<void>();
  const heard = Promise.withResolvers<number>();
  client.on({
    state: (state) => state === 'live' && live.resolve(),
    notice: ({ data }) => heard.resolve(data.progress.done),
  });
  client.start();
  await live.promise;
  const stream = await fetch(`${url}/api/v2/events?types=job.*`);
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toContain('event: welcome');
  brain.hub.tell(brain.owner, progress(4));
  expect(await heard.promise).toBe(4);
  expect((await reader.read()).value).toMatch(
    /^event: notice\ndata: \{"action":"notice","type":"job.progress"/,
  );
  expect(client.position?.seq).toBe(0);
  await reader.cancel();
});
