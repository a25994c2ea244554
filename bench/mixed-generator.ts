// Reads a mixed load as JSON from stdin, puts it on the server, and writes what came of it to stdout.
import { Agent, request } from 'node:http';
import { json, text } from 'node:stream/consumers';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { seeded, syntheticVault } from './make-vault.ts';
import type { MadeNote, MixedKind, MixedLoad, MixedResult } from './mixed.ts';

/** Timers come up to a millisecond late, so the last stretch before a request is due is spent turning. */
const TIMER_SLACK_MS = 2;
const START_IN_MS = 100;
/** Notes of this load that stay, so that there is something to change. */
const KEPT = 50;

const load = (await json(process.stdin)) as MixedLoad;
const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
const random = seeded(load.seed);
const notes = syntheticVault(2_000, load.seed).notes;
const kinds = Object.entries(load.mix).flatMap(([kind, share]) =>
  Array<MixedKind>(share).fill(kind as MixedKind),
);
const doneMs: Record<MixedKind, number[]> = {
  create: [],
  read: [],
  patch: [],
  search: [],
  neighbors: [],
  delete: [],
};
const refusedMs: number[] = [];
const failed: Record<string, number> = {};
const made = new Map<string, MadeNote>();
let worstLateMs = 0;
let count = 0;

interface Asked {
  readonly kind: MixedKind;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

function next(): Asked {
  const kind = pick(kinds);
  const note = notes[count++ % notes.length]!;
  const path = `/api/v2/nodes/${pick(load.ids)}`;
  switch (kind) {
    case 'read':
      return { kind, method: 'GET', path };
    case 'neighbors':
      return { kind, method: 'GET', path: `${path}/neighbors` };
    case 'search':
      return {
        kind,
        method: 'GET',
        path: `/api/v2/search?q=${encodeURIComponent(pick(note.text.split(' ')))}`,
      };
    case 'patch':
      return { kind, method: 'PATCH', path, body: { content: note.text } };
    case 'delete': {
      const [oldest] = made.keys();
      if (oldest === undefined || made.size <= KEPT) return { kind: 'read', method: 'GET', path };
      made.delete(oldest);
      return { kind, method: 'DELETE', path: `/api/v2/nodes/${oldest}` };
    }
    case 'create': {
      const body = { title: `${note.title} ${load.seed} ${count}`, content: note.text, tags: note.tags };
      return { kind, method: 'POST', path: '/api/v2/nodes', body };
    }
  }
}

async function send({ kind, method, path, body }: Asked, dueAt: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<{ readonly status: number; readonly answer: string }>();
  let sentAt = dueAt;
  const headers = {
    ...(body && { 'content-type': 'application/json' }),
    ...((method === 'PATCH' || method === 'DELETE') && { 'if-match': '*' }),
  };
  const outgoing = request(new URL(path, load.url), { agent, method, headers }, (incoming) => {
    text(incoming).then(
      (answer) => resolve({ status: incoming.statusCode ?? 0, answer }),
      () => resolve({ status: 0, answer: '' }),
    );
  });
  outgoing.on('socket', () => (sentAt = performance.now()));
  outgoing.on('error', () => resolve({ status: 0, answer: '' }));
  outgoing.end(body && JSON.stringify(body));
  const { status, answer } = await promise;
  const now = performance.now();
  if (status >= 200 && status < 300) {
    doneMs[kind].push(now - dueAt);
    if (kind !== 'create') return;
    const { id, title } = JSON.parse(answer) as MadeNote;
    made.set(id, { id, title });
  } else if (status === 503 && answer.includes('"overloaded"')) refusedMs.push(now - sentAt);
  else failed[status] = (failed[status] ?? 0) + 1;
}

async function until(due: number): Promise<void> {
  const left = due - performance.now();
  if (left > TIMER_SLACK_MS) await delay(left - TIMER_SLACK_MS);
  while (performance.now() < due) await turn();
}

const start = performance.now() + START_IN_MS;
const pending: Promise<void>[] = [];
for (let at = 0; at < load.perSecond * load.seconds; at++) {
  const due = start + (at * 1_000) / load.perSecond;
  await until(due);
  worstLateMs = Math.max(worstLateMs, performance.now() - due);
  pending.push(send(next(), due));
}
await Promise.all(pending);
agent.destroy();
const result: MixedResult = { doneMs, refusedMs, failed, made: [...made.values()], worstLateMs };
process.stdout.write(JSON.stringify(result));
