import { describe, expect, it, onTestFinished } from 'vitest';
import { OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { BrainError } from '../domain/error.ts';
import type { Job } from '../domain/job.ts';
import { instant, jobId, ownerId } from '../domain/values.ts';
import { currentContext, runWithContext } from '../shared/context.ts';
import { createLog } from '../shared/log.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import { Store } from '../storage/store.ts';
import type { JobKind, JobTools } from './job-run.ts';
import { Jobs, keepItem } from './jobs.ts';

const REQUEST = {
  correlationId: 'of-the-request',
  requestId: '0190a7c4-0000-7000-8000-000000000001',
  ownerId: OWNER,
  traceId: '0af7651916cd43dd8448eb211c80319c',
};

/** A store with processes over it, each with its jobs; the time is told by hand. */
function place() {
  let nowMs = Date.now();
  const newId = uuidv7Generator(Date.now);
  const store = new Store({
    table: new MemoryTable(),
    now: () => instant(nowMs),
    newEpoch: newId,
    correlationId: () => currentContext()?.correlationId ?? '-',
  });
  const lines: Record<string, unknown>[] = [];
  const log = createLog(
    { level: 'info', format: 'json' },
    { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return {
    store,
    lines,
    pass: (ms: number) => (nowMs += ms),
    process({ isShared = false } = {}) {
      const newJobId = () => jobId(newId());
      const jobs = new Jobs({ store, log, nowMs: () => nowMs, newJobId, runnerId: newId(), isShared });
      onTestFinished(() => jobs.stop());
      return jobs;
    },
  };
}

interface Running {
  readonly tools: JobTools;
  readonly go: () => void;
}

/** A kind whose jobs run until they are let go, and heed their signal. */
function gated() {
  const runs = new Map<string, PromiseWithResolvers<Running>>();
  const started: string[] = [];
  const of = (name: string) => {
    const run = runs.get(name) ?? Promise.withResolvers<Running>();
    runs.set(name, run);
    return run;
  };
  const work: JobKind = {
    kind: 'gated',
    async run(job, tools) {
      const gate = Promise.withResolvers<void>();
      const name = String(job.input['name']);
      started.push(name);
      tools.signal.addEventListener('abort', () => gate.reject(tools.signal.reason as Error));
      of(name).resolve({ tools, go: gate.resolve });
      await gate.promise;
      return { name };
    },
  };
  /** Resolves when the job of the name has begun. */
  return { work, started, of: (name: string) => of(name).promise };
}

const ask = (name: string) => ({ kind: 'gated', input: { name } });

describe('a job', () => {
  it('goes from queued over running to done, with its progress and its result, and each change is told', async () => {
    const jobs = place().process();
    const { work, of } = gated();
    jobs.register(work);
    const told: string[] = [];
    jobs.onChange(({ status, progress }) => told.push(`${status} ${progress.done}`));
    const job = await jobs.create(OWNER, { ...ask('a'), total: 2 });
    expect(job).toMatchObject({ status: 'queued', progress: { done: 0, total: 2, failed: 0 }, version: 1 });
    const run = await of('a');
    for (let done = 0; done <= 2; done++) run.tools.report({ done, failed: 1 });
    run.go();
    await jobs.idle();
    expect(await jobs.get(OWNER, job.id)).toMatchObject({
      status: 'done',
      progress: { done: 2, total: 2, failed: 1 },
      result: { name: 'a' },
    });
    expect(told).toEqual(['queued 0', 'running 0', 'running 0', 'running 1', 'running 2', 'done 2']);
  });

  it('has the ids of the request that asked for it in every line of its log, and in its events', async () => {
    const { lines, ...rest } = place();
    const jobs = rest.process();
    const contexts: unknown[] = [];
    jobs.register({ kind: 'seeing', run: async () => ({ seen: contexts.push(currentContext()) }) });
    const fails = new Error('disk of wax');
    jobs.register({ kind: 'failing', run: () => Promise.reject(fails) });
    await runWithContext(REQUEST, () => jobs.create(OWNER, { kind: 'seeing', input: {} }));
    await runWithContext(REQUEST, () => jobs.create(OWNER, { kind: 'failing', input: {} }));
    await jobs.idle();
    expect(contexts).toEqual([expect.objectContaining(REQUEST)]);
    expect(lines.length).toBe(5);
    for (const line of lines) expect(line).toMatchObject(REQUEST);
  });

  it('that fails says with what, and one that could succeed later is tried again, but not for ever', async () => {
    const jobs = place().process();
    let runs = 0;
    const error = (code: 'invalid' | 'unavailable') => new BrainError(code, `${code} it is`);
    jobs.register({ kind: 'invalid', run: () => Promise.reject(error('invalid')) });
    jobs.register({ kind: 'unavailable', run: () => Promise.reject((runs++, error('unavailable'))) });
    const one = await jobs.create(OWNER, { kind: 'invalid', input: {} });
    const two = await jobs.create(OWNER, { kind: 'unavailable', input: {} });
    await jobs.idle();
    const problem = { code: 'invalid', detail: 'invalid it is', errors: [] };
    expect(await jobs.get(OWNER, one.id)).toMatchObject({ status: 'failed', problem, starts: 1 });
    expect(await jobs.get(OWNER, two.id)).toMatchObject({
      status: 'failed',
      problem: { code: 'unavailable' },
    });
    expect(runs).toBe(5);
  });

  it('that waits is cancelled at once, one that runs when it heeds its signal, one that has ended not at all', async () => {
    const jobs = place().process();
    const { work, of } = gated();
    jobs.register(work);
    const made = [];
    for (const name of ['a', 'b', 'c']) made.push(await jobs.create(OWNER, ask(name)));
    const [a, b, c] = made.map(({ id }) => id) as [Job['id'], Job['id'], Job['id']];
    await of('b');
    expect((await jobs.cancel(OWNER, c)).status).toBe('cancelled');
    expect(await jobs.cancel(OWNER, a)).toMatchObject({ status: 'running', isCancelAsked: true });
    (await of('b')).go();
    await jobs.idle();
    const statuses = await Promise.all([a, b, c].map(async (id) => (await jobs.get(OWNER, id)).status));
    expect(statuses).toEqual(['cancelled', 'done', 'cancelled']);
    expect((await jobs.cancel(OWNER, b)).status).toBe('done');
  });

  it('has ended as it has, also where its kind fails to put away what it needed', async () => {
    const { lines, ...rest } = place();
    const jobs = rest.process();
    const { work, of } = gated();
    jobs.register({ ...work, ended: () => Promise.reject(new Error('disk of wax')) });
    const made = [];
    for (const name of ['runs', 'runs too', 'waits', 'waits too'])
      made.push(await jobs.create(OWNER, ask(name)));
    const [, running, waiting] = made.map(({ id }) => id) as [Job['id'], Job['id'], Job['id']];
    (await of('runs too')).tools.report({ done: 1 });
    expect((await jobs.cancel(OWNER, waiting)).status).toBe('cancelled');
    await jobs.cancel(OWNER, running);
    (await of('runs')).go();
    (await of('waits too')).go();
    await jobs.idle();
    const statuses = await Promise.all(made.map(async ({ id }) => (await jobs.get(OWNER, id)).status));
    expect(statuses).toEqual(['done', 'cancelled', 'cancelled', 'done']);
    const left = lines.flatMap(({ msg, status }) => (msg === 'job left off' ? [status] : []));
    expect([left.length, new Set(left)]).toEqual([3, new Set(['cancelled', 'done'])]);
    const errors = lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ msg }) => msg)).toEqual(
      made.map(() => 'what an ended job had needed was not put away'),
    );
  });

  it('waits while two of its owner run, and is refused when twenty wait; other owners do not wait', async () => {
    const jobs = place().process();
    const { work, started, of } = gated();
    jobs.register(work);
    for (let n = 0; n < 22; n++) await jobs.create(OWNER, ask(`job ${n}`));
    await of('job 1');
    await expect(jobs.create(OWNER, ask('one more'))).rejects.toMatchObject({ code: 'rate_limited' });
    await jobs.create(ownerId('other'), ask('of another'));
    await of('of another');
    expect(started).toEqual(['job 0', 'job 1', 'of another']);
    for (let n = 0; n < 22; n++) (await of(`job ${n}`)).go();
    (await of('of another')).go();
    await jobs.idle();
    expect(started.filter((name) => name.startsWith('job'))).toEqual(
      Array.from({ length: 22 }, (_, n) => `job ${n}`),
    );
  });

  it('is listed with the others, newest first, by kind and by status, in pages; another owner sees none', async () => {
    const jobs = place().process();
    jobs.register({ kind: 'quick', run: async () => ({}) });
    const ids = [];
    for (let n = 0; n < 5; n++) ids.unshift((await jobs.create(OWNER, { kind: 'quick', input: {} })).id);
    await jobs.idle();
    const all = { kind: 'quick', status: 'done' } as const;
    const first = await jobs.list(OWNER, all, { limit: 3 });
    const rest = await jobs.list(OWNER, all, { limit: 3, after: first.next });
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(ids);
    expect([first.items.length, rest.next]).toEqual([3, undefined]);
    expect((await jobs.list(OWNER, { status: 'failed' }, { limit: 3 })).items).toEqual([]);
    await expect(jobs.get(ownerId('other'), ids[0]!)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('reports item by item, in their order', async () => {
    const { store, ...rest } = place();
    const jobs = rest.process();
    jobs.register({
      kind: 'items',
      async run(job) {
        for (const index of [2, 0, 11, 1])
          await store.write(OWNER, async (tx) =>
            keepItem(tx, job, { index, key: `k${index}`, status: 'made' }),
          );
        return {};
      },
    });
    const { id } = await jobs.create(OWNER, { kind: 'items', input: {} });
    await jobs.idle();
    const page = await jobs.items(OWNER, id, { limit: 3 });
    const last = await jobs.items(OWNER, id, { limit: 3, after: page.next });
    expect([...page.items, ...last.items].map(({ key }) => key)).toEqual(['k0', 'k1', 'k2', 'k11']);
    await expect(jobs.items(ownerId('other'), id, { limit: 3 })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a job that is cut off', () => {
  it('by a stop while it is being taken up is not begun, and goes on at the next start', async () => {
    const { process } = place();
    const { work, started } = gated();
    const first = process();
    first.register(work);
    const stopped = new Promise<void>((resolve) => {
      first.onChange(({ status }) => status === 'running' && resolve(first.stop()));
    });
    const { id } = await first.create(OWNER, ask('late'));
    await stopped;
    expect(await first.get(OWNER, id)).toMatchObject({ status: 'queued', starts: 0 });
    expect(started).toEqual([]);
  });

  it('by an orderly stop goes on at the next start, however often that comes', async () => {
    const { process } = place();
    let { work, of } = gated();
    let jobs = process();
    jobs.register(work);
    const { id } = await jobs.create(OWNER, ask('a'));
    for (let stop = 0; stop < 7; stop++) {
      await of('a');
      await jobs.stop();
      expect((await jobs.get(OWNER, id)).status).toBe('queued');
      ({ work, of } = gated());
      jobs = process();
      jobs.register(work);
      await jobs.resume(OWNER);
    }
    (await of('a')).go();
    await jobs.idle();
    expect((await jobs.get(OWNER, id)).status).toBe('done');
  });

  it('by a crash goes on at the next start; one that crashes its process each time is given up', async () => {
    const { process } = place();
    const first = process();
    const { work, of } = gated();
    first.register(work);
    const { id } = await first.create(OWNER, ask('a'));
    await of('a');
    for (let crash = 1; crash < 5; crash++) {
      const next = process();
      const again = gated();
      next.register(again.work);
      await next.resume(OWNER);
      await again.of('a'); // and is never heard of again
    }
    const last = process();
    last.register(work);
    await last.resume(OWNER);
    const given = await last.get(OWNER, id);
    expect([given.status, given.problem?.code]).toEqual(['failed', 'aborted']);
  });

  it('is taken up also where one before it was cancelled, and its kind fails to put away what that needed', async () => {
    const { process } = place();
    const crashed = process();
    const [before, after] = [gated(), gated()];
    crashed.register(before.work);
    const [a, b] = [await crashed.create(OWNER, ask('a')), await crashed.create(OWNER, ask('b'))];
    await before.of('b');
    const next = process();
    await next.cancel(OWNER, a.id); // its runner is never heard of again
    next.register({ ...after.work, ended: () => Promise.reject(new Error('disk of wax')) });
    await next.resume(OWNER);
    expect((await next.get(OWNER, a.id)).status).toBe('cancelled');
    expect(after.started).toEqual(['b']);
    (await after.of('b')).go();
    await next.idle();
    expect((await next.get(OWNER, b.id)).status).toBe('done');
  });

  it('is left alone by processes of the same store while its runner is alive, and taken over after', async () => {
    const { process, pass } = place();
    const [first, second] = [process({ isShared: true }), process({ isShared: true })];
    const [one, two] = [gated(), gated()];
    first.register(one.work);
    second.register(two.work);
    const { id } = await first.create(OWNER, ask('a'));
    const run = await one.of('a');
    await second.resume(OWNER);
    expect(two.started).toEqual([]);
    pass(31_000);
    await second.resume(OWNER);
    (await two.of('a')).go();
    await second.idle();
    run.tools.report({ done: 99 });
    run.go(); // the first one comes back: what it says of the job is not heard any more
    await first.idle();
    expect(await first.get(OWNER, id)).toMatchObject({ status: 'done', progress: { done: 0 }, starts: 2 });
  });
});
