import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Health } from '../../src/api/common.ts';
import { createApp } from '../../src/http/app.ts';
import { runChecks, type Finding, type HealthCheck } from '../../src/http/health.ts';
import type { Services } from '../../src/services/services.ts';
import { createLog } from '../../src/shared/log.ts';
import { newBrain } from './client.ts';

const FACTS = { version: '1.2.3' };
const up: HealthCheck = async () => ({ status: 'up' });
const hangs: HealthCheck = () => new Promise<Finding>(() => {});

const checksOf = (checks: Readonly<Record<string, HealthCheck>>, critical: readonly string[] = []) =>
  Object.fromEntries(
    Object.entries(checks).map(([name, check]) => [name, { check, critical: critical.includes(name) }]),
  );

describe('the health of a running Brain2', () => {
  it('names each component with its state, facts and time, and what the store holds', async () => {
    const { create, sendRoot } = await newBrain();
    await create({ content: 'x' });
    const { status, body, headers } = await sendRoot<Health>('GET', '/health');
    expect([status, body.status, headers['cache-control']]).toEqual([
      200,
      expect.stringMatching(/up|degraded/),
      'no-store',
    ]);
    expect(Object.keys(body.components).sort()).toEqual(['disk', 'eventLoop', 'index', 'store']);
    expect(body.components['store']).toMatchObject({ status: 'up', details: { nodes: 1 } });
    expect(body.components['index']).toMatchObject({ details: { notes: 1, behind: 0 } });
    for (const { lastChecked, durationMs } of Object.values(body.components)) {
      expect(new Date(lastChecked).toISOString()).toBe(lastChecked);
      expect(durationMs).toBeGreaterThanOrEqual(0);
    }
  });

  it('is alive and ready while the store answers; without it, it is alive and not ready', async () => {
    const statuses = async (store: HealthCheck) => {
      const app = await createApp({
        services: {} as Services, // no route that needs them is called
        log: createLog({ level: 'silent', format: 'json' }),
        newId: randomUUID,
        checks: { store: { check: store, critical: true } },
        version: FACTS.version,
        cursorKey: randomBytes(32),
      });
      const paths = ['/livez', '/readyz', '/health'];
      return Promise.all(paths.map(async (url) => (await app.inject({ url })).statusCode));
    };
    expect(await statuses(up)).toEqual([200, 200, 200]);
    expect(await statuses(() => Promise.reject(new Error('the disk is gone')))).toEqual([200, 503, 503]);
    expect(await statuses(async () => ({ status: 'degraded' }))).toEqual([200, 200, 200]);
  });
});

describe('running checks', () => {
  it('a check that fails or throws is down with its reason, and takes no other with it', async () => {
    const health = await runChecks(
      checksOf({
        good: up,
        rejects: () => Promise.reject(new Error('no route')),
        throws: () => {
          throw new Error('at once');
        },
      }),
      FACTS,
    );
    expect(health.components).toMatchObject({
      good: { status: 'up' },
      rejects: { status: 'down', message: 'no route' },
      throws: { status: 'down', message: 'at once' },
    });
    expect(health.version).toBe('1.2.3');
  });

  it('a check that hangs times out alone: all run side by side, in about one timeout', async () => {
    const start = performance.now();
    const health = await runChecks(checksOf({ a: hangs, b: hangs, c: hangs, good: up }), FACTS, 100);
    const tookMs = performance.now() - start;
    expect(tookMs).toBeGreaterThanOrEqual(95);
    expect(tookMs).toBeLessThan(290);
    expect(health.components).toMatchObject({
      a: { status: 'down', message: 'no answer within 100 ms' },
      c: { status: 'down' },
      good: { status: 'up' },
    });
    expect(health.components['good']?.durationMs).toBeLessThan(90);
  });

  it('the whole is down for a critical one, degraded for another, and up when all are', async () => {
    const down: HealthCheck = async () => ({ status: 'down', message: 'gone' });
    const degraded: HealthCheck = async () => ({ status: 'degraded' });
    const whole = async (checks: Readonly<Record<string, HealthCheck>>, critical: readonly string[]) =>
      (await runChecks(checksOf(checks, critical), FACTS, 100)).status;
    expect(await whole({ a: up, b: up }, ['a'])).toBe('up');
    expect(await whole({ a: up, b: degraded }, ['a', 'b'])).toBe('degraded');
    expect(await whole({ a: up, b: down }, ['a'])).toBe('degraded');
    expect(await whole({ a: down, b: up }, ['a'])).toBe('down');
    expect(await whole({ a: hangs, b: degraded }, ['a'])).toBe('down');
    expect(await whole({}, [])).toBe('up');
  });
});
