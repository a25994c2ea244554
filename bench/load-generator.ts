// Reads a load as JSON from stdin, puts it on the server, and writes what came of it to stdout.
import { Agent, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import type { Load, LoadRequest, LoadResult } from './load.ts';

/** Timers come up to a millisecond late, so the last stretch before a request is due is spent turning. */
const TIMER_SLACK_MS = 2;

const START_IN_MS = 100;

const load = (await json(process.stdin)) as Load;
const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
const latenciesMs: number[] = [];
let failed = 0;
let worstLateMs = 0;
let isEnough = false;
process.once('SIGTERM', () => (isEnough = true)); // what is under way is still waited for

function send({ method, path, body }: LoadRequest): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const outgoing = request(new URL(path, load.url), { agent, method, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve((answer.statusCode ?? 0) < 300));
    });
    outgoing.on('error', () => resolve(false));
    outgoing.end(body);
  });
}

async function until(due: number): Promise<void> {
  const left = due - performance.now();
  if (left > TIMER_SLACK_MS) await delay(left - TIMER_SLACK_MS);
  while (performance.now() < due) await turn();
}

async function answered(index: number, due: number): Promise<void> {
  const succeeded = await send(load.requests[index]!);
  if (!succeeded) failed += 1;
  if (index >= load.warmUp) latenciesMs[index - load.warmUp] = performance.now() - due;
}

const start = performance.now() + START_IN_MS;
const pending: Promise<void>[] = [];
for (const index of load.requests.keys()) {
  const due = start + (index * 1_000) / load.perSecond;
  await until(due);
  if (isEnough) break;
  if (index >= load.warmUp) worstLateMs = Math.max(worstLateMs, performance.now() - due);
  pending.push(answered(index, due));
}
await Promise.all(pending);
agent.destroy();
const result: LoadResult = { latenciesMs, failed, worstLateMs };
process.stdout.write(JSON.stringify(result));
