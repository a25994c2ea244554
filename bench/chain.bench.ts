#!/usr/bin/env node
// node bench/chain.bench.ts [--requests N] [--rounds N]
import { fastify, LogController, type FastifyInstance } from 'fastify';
import { hash } from 'node:crypto';
import { ownerId } from '../src/domain/values.ts';
import { useAuthentication } from '../src/http/auth/authentication.ts';
import { localAuthentication, useLocalGuard } from '../src/http/auth/local.ts';
import { useContext } from '../src/http/context.ts';
import { parseJson } from '../src/http/json-body.ts';
import { useRateLimits } from '../src/http/rate-limit.ts';
import { useSecurityHeaders } from '../src/http/security-headers.ts';
import { useTimeouts } from '../src/http/timeouts.ts';
import { routeVersion, useVersions } from '../src/http/version-headers.ts';
import type { Principal } from '../src/services/principal.ts';
import { ExpiringCache } from '../src/shared/expiring-cache.ts';
import { createLog } from '../src/shared/log.ts';
import { uuidv7Generator } from '../src/shared/uuid.ts';
import { goal, median, numbers, percentile, table } from './figures.ts';
import { machine } from './machine.ts';

const GOAL_US = 60;
const OWNER = ownerId('local');

const { requests, rounds } = numbers({ requests: 4_000, rounds: 9 });

console.log(`## Around each request\n\n${machine()}\n`);
console.log(
  `GET of one word, in process, so that the cost of a socket stays out: ${requests} requests, ${rounds} rounds in turns, ` +
    'CPU time of the process, the median and its range. Each row has all that the rows above it have. The goal is for ' +
    'the sum of what is added to bare Fastify: ids and context, a line in the log for each request, security headers, ' +
    'bounds of time, the version, the guard of the local mode, authentication, the rate limit with its headers.\n',
);

type Part = (app: FastifyInstance) => void;

const log = createLog({ level: 'info', format: 'json' }, { write: () => undefined });
const parts: readonly (readonly [string, Part])[] = [
  ['bare Fastify', () => undefined],
  ['+ context and log', (app) => useContext(app, { log, newId: uuidv7Generator(Date.now) })],
  ['+ security headers', useSecurityHeaders],
  ['+ bounds of time', useTimeouts],
  ['+ version', useVersions],
  ['+ guard of the local mode', (app) => useLocalGuard(app, [])],
  ['+ authentication', (app) => useAuthentication(app, localAuthentication(OWNER))],
  [
    '+ rate limit',
    (app) => useRateLimits(app, { owner: { requests: 1e9, seconds: 1 }, nowMs: () => Date.now() }),
  ],
];

const apps = parts.map((_, at) => {
  const isVersioned = parts.findIndex(([, use]) => use === useVersions) <= at;
  const app = fastify({
    logController: new LogController({ disableRequestLogging: true }),
    rewriteUrl: (raw) => (isVersioned ? routeVersion(raw) : (raw.url ?? '/')),
  });
  for (const [, use] of parts.slice(0, at + 1)) use(app);
  app.get('/api/v2/word', async () => ({ word: 'x' }));
  return app;
});

const microseconds: number[][] = parts.map(() => []);
for (const app of apps) await send(app, requests / 4); // until it is compiled
for (let round = 0; round < rounds; round++) {
  for (const [at, app] of apps.entries()) {
    const before = process.cpuUsage();
    await send(app, requests);
    const { user, system } = process.cpuUsage(before);
    microseconds[at]?.push((user + system) / requests);
  }
}

const bare = percentile(microseconds[0] ?? [], 0.5);
const whole = percentile(microseconds.at(-1) ?? [], 0.5);
console.log(
  table(
    ['', 'CPU a request, µs', 'added to bare'],
    parts.map(([name], at) => {
      const of = microseconds[at] ?? [];
      return [name, median(of, 1), (percentile(of, 0.5) - bare).toFixed(1)];
    }),
  ),
);
console.log(`\nThe chain: ${(whole - bare).toFixed(1)} µs; goal ${goal(whole - bare, GOAL_US, 'µs')}\n`);

const cache = new ExpiringCache<Principal>({ limit: 10, nowMs: Date.now });
const secret = `b2t_${'x'.repeat(43)}`;
cache.set(hash('sha256', secret, 'hex'), { owner: OWNER, scopes: ['read'] }, Infinity);
const note = JSON.stringify({ title: 'Sleep', content: 'melatonin and the circadian clock. '.repeat(60) });
console.log(
  table(
    ['by itself', 'µs'],
    [
      [
        'a token that is known: its hash, and the cache',
        each(() => cache.get(hash('sha256', secret, 'hex'))),
      ],
      [`a body of ${note.length} bytes: JSON.parse`, each(() => JSON.parse(note) as unknown)],
      ['the same, each key once and no deeper than 32', each(() => parseJson(note))],
    ],
  ),
);

async function send(app: FastifyInstance, count: number): Promise<void> {
  for (let at = 0; at < count; at++)
    await app.inject({ url: '/api/v2/word', headers: { host: 'localhost' } });
}

/** The time of one call, in microseconds. */
function each(work: () => unknown): string {
  const calls = 50_000;
  for (let at = 0; at < calls; at++) work();
  const start = performance.now();
  for (let at = 0; at < calls; at++) work();
  return (((performance.now() - start) * 1000) / calls).toFixed(2);
}
