import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../src/api/v2-jobs.ts';
import { JOB_CALL } from '../../src/aws/detail-types.ts';
import type { BusEvent } from '../../src/aws/events.ts';
import { jobsFunction } from '../../src/aws/jobs.ts';
import { ownerId } from '../../src/domain/values.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';
import { newCloud, type Cloud } from './cloud.ts';

let dynamo: TestDynamo;
beforeAll(async () => void (dynamo = await startDynamo()));
afterAll(() => dynamo.stop());

const ALICE = ownerId('alice');
const WHOLE_MS = 900_000;
/** So little that whatever is begun is left off at once. */
const NONE_MS = 60_000;
const NOTES = 120;

/** A run of the function, in a process of its own. */
async function newRunner(cloud: Cloud) {
  const { handler, close } = await jobsFunction(cloud.parts);
  onTestFinished(close);
  return (event: BusEvent, leftMs = WHOLE_MS) => handler(event, { getRemainingTimeInMillis: () => leftMs });
}

/** The rule that has jobs run: by these, in turn. */
function withRule({ aws }: Cloud, ...runs: readonly ((event: BusEvent) => Promise<void>)[]): void {
  let at = 0;
  aws.rule([JOB_CALL.detailType], (event) => runs[at++ % runs.length]!(event));
}

const calls = ({ aws }: Cloud): readonly object[] =>
  aws.events
    .filter(({ DetailType }) => DetailType === JOB_CALL.detailType)
    .map(({ Source, Detail }) => ({ Source, detail: JSON.parse(Detail) as unknown }));

async function ask(cloud: Cloud, secret: string): Promise<Job> {
  const notes = Array.from({ length: NOTES }, (_, n) => ({ key: String(n), content: `thought ${n} of tea` }));
  const answer = await fetch(`${cloud.aws.url}/api/v2/imports?collection=vault`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secret}`,
      'content-type': 'application/x-ndjson',
      prefer: 'respond-async',
    },
    body: notes.map((note) => JSON.stringify(note)).join('\n'),
  });
  expect(answer.status).toBe(202);
  return (await answer.json()) as Job;
}

/** Done, and each item of it once: in the report, and in the log. */
async function expectDone(cloud: Cloud, secret: string, { id }: Job): Promise<void> {
  const headers = { authorization: `Bearer ${secret}` };
  const job = (await (await fetch(`${cloud.aws.url}/api/v2/jobs/${id}`, { headers })).json()) as Job;
  expect(job).toMatchObject({ status: 'done', progress: { done: NOTES, total: NOTES, failed: 0 } });
  const { events } = await cloud.parts.store.changes(ALICE, { seq: 0 }, 100_000);
  const created = events.flatMap(({ event }) => (event.type === 'node.created' ? [event.node.content] : []));
  expect([created.length, new Set(created).size]).toEqual([NOTES, NOTES]);
}

describe('a job that a request asks for', () => {
  test('is called for, and run where it can come to its end; where the request was answered nothing goes on', async () => {
    const cloud = await newCloud(dynamo);
    const { secret, http } = await cloud.clientOf('alice');
    const job = await ask(cloud, secret);
    expect(calls(cloud)).toEqual([{ Source: JOB_CALL.source, detail: { owner: 'alice' } }]);
    expect(await http.jobs.get(job.id)).toMatchObject({ status: 'queued' });
    await (
      await newRunner(cloud)
    )({ detail: { owner: 'alice' } });
    await expectDone(cloud, secret, job);
    expect([...cloud.aws.objects.keys()]).toEqual(['/bucket/indexes/alice.idx.zst']); // the next function begins with it
  });

  test('goes on in the next run when the time of one is over, and in as many as it takes', async () => {
    const cloud = await newCloud(dynamo);
    const { secret } = await cloud.clientOf('alice');
    const run = await newRunner(cloud);
    withRule(cloud, (event) => run(event, calls(cloud).length < 4 ? NONE_MS : WHOLE_MS));
    const job = await ask(cloud, secret);
    await cloud.aws.quiet();
    expect(calls(cloud)).toHaveLength(4);
    await expectDone(cloud, secret, job);
  });

  test('is run once though the bus calls for it twice, and two functions come', async () => {
    const cloud = await newCloud(dynamo);
    const { secret } = await cloud.clientOf('alice');
    withRule(cloud, await newRunner(cloud), await newRunner(cloud));
    cloud.aws.mischief = { ...cloud.aws.mischief, twice: 1 };
    const job = await ask(cloud, secret);
    await cloud.aws.quiet();
    expect(calls(cloud)).toHaveLength(1);
    await expectDone(cloud, secret, job);
  });

  test('that the bus did not take the call for is called for by upkeep, and only while nobody runs it', async () => {
    const cloud = await newCloud(dynamo);
    const { secret } = await cloud.clientOf('alice');
    const { handler: upkeep, close } = await cloud.upkeep();
    onTestFinished(close);
    const context = { getRemainingTimeInMillis: () => WHOLE_MS };
    cloud.aws.mischief = { ...cloud.aws.mischief, refusedEntry: 1 };
    const job = await ask(cloud, secret);
    cloud.aws.mischief = { ...cloud.aws.mischief, refusedEntry: 0 };
    expect(calls(cloud)).toEqual([]);
    withRule(cloud, await newRunner(cloud));
    await upkeep({}, context);
    expect(calls(cloud)).toHaveLength(1);
    await cloud.aws.quiet();
    await expectDone(cloud, secret, job);
    await upkeep({}, context);
    expect(calls(cloud)).toHaveLength(1);
  });
});
