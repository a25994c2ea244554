import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Health } from '../../src/api/common.ts';
import { BrainError } from '../../src/domain/error.ts';
import { createApp } from '../../src/http/app.ts';
import { HEALTH_LIMITS, healthMonitor, type Finding, type HealthCheck } from '../../src/http/health.ts';
import type { RealtimeNeeds } from '../../src/http/v2/realtime.ts';
import type { Services } from '../../src/services/services.ts';
import { createLog } from '../../src/shared/log.ts';
import { LOCAL_ACCESS, newBrain } from './client.ts';

const NOW = { timeoutMs: 100, freshMs: 0 };
/** What a machine that is busy may take longer. */
const BUSY_MS = 4_000;
const up: HealthCheck = async () => ({ status: 'up' });
const hangs: HealthCheck = () => new Promise<Finding>(() => {});

/** A monitor of these checks, and the lines that it logs. */
function monitor(
  checks: Readonly<Record<string, HealthCheck>>,
  { critical = [] as readonly string[], limits = NOW } = {},
) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog(
    { level: 'trace', format: 'json' },
    { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const named = Object.fromEntries(
    Object.entries(checks).map(([name, check]) => [name, { check, critical: critical.includes(name) }]),
  );
  return { health: healthMonitor({ checks: named, version: '1.2.3', log }, limits), lines };
}

describe('the health of a running Brain2', () => {
  it('names each component with its state, facts and time, and what the store holds', async () => {
    const { create, sendRoot } = await newBrain();
    await create({ content: 'x' });
    const { status, body, headers } = await sendRoot<Health>('GET', '/health');
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    const names = ['eventLoop', 'store', 'index', 'log', 'disk', 'writer', 'workers'];
    expect(Object.keys(body.components)).toEqual(names);
    expect(body.components['store']).toMatchObject({ status: 'up', details: { nodes: 1, seq: 1 } });
    expect(body.components['index']).toMatchObject({ status: 'up', details: { notes: 1, behind: 0 } });
    expect(body.components['log']).toMatchObject({ details: { seq: 1, unsaved: 1, pending: 0 } });
    for (const { lastChecked, durationMs } of Object.values(body.components)) {
      expect(new Date(lastChecked).toISOString()).toBe(lastChecked);
      expect(durationMs).toBeGreaterThanOrEqual(0);
    }
  });

  it('is alive and ready while the store answers; without it, it is alive and not ready, and back with it', async () => {
    let store: HealthCheck = up;
    const app = await createApp({
      services: {} as Services, // no route that needs them is called
      log: createLog({ level: 'silent', format: 'json' }),
      newId: randomUUID,
      checks: { store: { check: () => store(), critical: true } },
      version: '1.2.3',
      cursorKey: randomBytes(32),
      access: LOCAL_ACCESS,
      realtime: {} as RealtimeNeeds,
    });
    const statuses = async (now: HealthCheck) => {
      store = now;
      const paths = ['/livez', '/readyz', '/health'];
      return Promise.all(paths.map(async (url) => (await app.inject({ url })).statusCode));
    };
    expect(HEALTH_LIMITS.timeoutMs + HEALTH_LIMITS.freshMs).toBeLessThan(2_000);
    const turns = async (now: HealthCheck, expected: readonly number[]) => {
      await vi.waitFor(async () => expect(await statuses(now)).toEqual(expected), {
        timeout: 2_000 + BUSY_MS,
        interval: 20,
      });
    };
    await turns(up, [200, 200, 200]);
    await turns(() => Promise.reject(new Error('the disk is gone')), [200, 503, 503]);
    await turns(async () => ({ status: 'degraded' }), [200, 200, 200]);
    await turns(hangs, [200, 503, 503]);
  });
});

describe('running checks', () => {
  it('a check that fails or throws is down in the words of its code, takes no other with it, and is logged once', async () => {
    const { health, lines } = monitor({
      good: up,
      rejects: () => Promise.reject(new BrainError('storage_full', 'no room in /secret/place')),
      throws: () => {
        throw new Error('at once');
      },
    });
    const found = await health();
    expect(found.components).toMatchObject({
      good: { status: 'up' },
      rejects: { status: 'down', message: 'The disk is full', details: { code: 'storage_full' } },
      throws: { status: 'down', message: 'Internal error', details: { code: 'internal' } },
    });
    expect(found.version).toBe('1.2.3');
    expect(JSON.stringify(found)).not.toContain('secret');
    await health();
    const failures = lines.filter(({ msg }) => msg === 'a health check failed');
    expect(new Set(failures.map(({ component }) => component))).toEqual(new Set(['rejects', 'throws']));
    expect(failures).toHaveLength(2);
  });

  it('a check that hangs times out alone: all run side by side, in about one timeout', async () => {
    const limits = { timeoutMs: 3_000, freshMs: 0 };
    const { health } = monitor({ a: hangs, b: hangs, c: hangs, good: up }, { limits });
    const start = performance.now();
    const { components } = await health();
    const tookMs = performance.now() - start;
    expect(tookMs).toBeGreaterThanOrEqual(limits.timeoutMs - 5); // timers may come a little early
    expect(tookMs).toBeLessThan(2 * limits.timeoutMs);
    expect(components).toMatchObject({
      a: { status: 'down', message: 'no answer within 3000 ms' },
      c: { status: 'down' },
      good: { status: 'up' },
    });
    expect(components['good']?.durationMs).toBeLessThan(limits.timeoutMs);
  });

  it('a check that hangs is not begun again, however often it is asked for, and is up when it answers', async () => {
    const answer = Promise.withResolvers<Finding>();
    const check = vi.fn<HealthCheck>(() => answer.promise);
    const { health } = monitor({ store: check });
    await Promise.all([health(), health()]);
    expect((await health()).components['store']?.status).toBe('down');
    expect(check).toHaveBeenCalledTimes(1);
    answer.resolve({ status: 'up' });
    expect((await health()).components['store']?.status).toBe('up');
  });

  it('what was found is good for a moment: callers in plenty make no check run more often', async () => {
    const check = vi.fn<HealthCheck>(up);
    const { health } = monitor({ store: check }, { limits: { timeoutMs: 100, freshMs: 60_000 } });
    for (let call = 0; call < 50; call++) await health();
    expect(check).toHaveBeenCalledTimes(1);
  });

  it('the whole is down for a critical one, degraded for another, and up when all are', async () => {
    const down: HealthCheck = async () => ({ status: 'down', message: 'gone' });
    const degraded: HealthCheck = async () => ({ status: 'degraded' });
    const whole = async (checks: Readonly<Record<string, HealthCheck>>, critical: readonly string[]) =>
      (await monitor(checks, { critical }).health()).status;
    expect(await whole({ a: up, b: up }, ['a'])).toBe('up');
    expect(await whole({ a: up, b: degraded }, ['a', 'b'])).toBe('degraded');
    expect(await whole({ a: up, b: down }, ['a'])).toBe('degraded');
    expect(await whole({ a: down, b: up }, ['a'])).toBe('down');
    expect(await whole({ a: hangs, b: degraded }, ['a'])).toBe('down');
    expect(await whole({}, [])).toBe('up');
  });

  it('a change of the whole is told to the log once', async () => {
    let state: Finding['status'] = 'up';
    const { health, lines } = monitor({ a: async () => ({ status: state }) }, { critical: ['a'] });
    for (const next of ['up', 'down', 'down', 'degraded', 'up', 'up'] as const) {
      state = next;
      await health();
    }
    expect(lines.map(({ before, status, components }) => [before, status, components])).toEqual([
      ['up', 'down', ['a']],
      ['down', 'degraded', ['a']],
      ['degraded', 'up', []],
    ]);
  });
});
