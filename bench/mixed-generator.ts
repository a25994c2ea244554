// Reads a mixed load as JSON from stdin, puts it on the server, and writes what came of it to stdout.
import { Agent, request } from 'node:http';
import { json, text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { seeded, syntheticVault } from './make-vault.ts';
import {
  LAST_ANSWER_MS,
  toldOf,
  type MixedKind,
  type MixedLoad,
  type MixedResult,
  type ToldNote,
} from './mixed.ts';

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
const made = new Set<string>();
const told = new Map<string, ToldNote>();
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
      told.delete(oldest);
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
    if (kind !== 'create' && kind !== 'patch') return;
    const note = toldOf(JSON.parse(answer) as Parameters<typeof toldOf>[0]);
    if (kind === 'create') made.add(note.id);
    if (note.version > (told.get(note.id)?.version ?? 0)) told.set(note.id, note);
  } else if (status === 503 && answer.includes('"overloaded"')) refusedMs.push(now - sentAt);
  else failed[status] = (failed[status] ?? 0) + 1;
}

const start = performance.now() + START_IN_MS;
const pending = new Set<Promise<void>>();
for (let at = 0; at < load.perSecond * load.seconds; at++) {
  const due = start + (at * 1_000) / load.perSecond;
  // A timer comes up to a millisecond late, which counts; turning until then would take a core from the server.
  while (performance.now() < due) await delay(due - performance.now());
  worstLateMs = Math.max(worstLateMs, performance.now() - due);
  const answered = send(next(), due).finally(() => pending.delete(answered));
  pending.add(answered);
}
await Promise.race([Promise.all(pending), delay(LAST_ANSWER_MS)]);
if (pending.size > 0) failed[0] = (failed[0] ?? 0) + pending.size;
const result: MixedResult = {
  doneMs,
  refusedMs,
  failed,
  made: [...made],
  told: [...told.values()],
  worstLateMs,
};
process.stdout.write(JSON.stringify(result), () => process.exit());
