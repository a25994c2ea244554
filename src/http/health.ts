import type { FastifyInstance } from 'fastify';
import type { Health } from '../api/common.ts';
import type { Log } from '../shared/log.ts';
import { happened, PROBLEMS } from './errors.ts';
import { within } from '../shared/within.ts';

type Status = Health['status'];
type Component = Health['components'][string];

/** What one check found. It may also throw or hang: then the component is down. */
export interface Finding {
  readonly status: Status;
  readonly message?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export type HealthCheck = () => Promise<Finding>;

/** Components by name. `critical` ones turn the whole down; others degrade it. */
export type HealthChecks = Readonly<
  Record<string, { readonly check: HealthCheck; readonly critical: boolean }>
>;

export interface HealthNeeds {
  readonly checks: HealthChecks;
  readonly version: string;
  readonly log: Log;
}

/** Together less than the two seconds within which readiness has to turn. */
export const HEALTH_LIMITS = { timeoutMs: 1_000, freshMs: 500 };

/**
 * Looks at all components side by side; one that hangs times out alone. What was found is good for a moment, and a
 * check under way serves all who ask, so that no number of callers makes it run more often, or twice at once.
 */
export function healthMonitor(
  { checks, version, log }: HealthNeeds,
  limits: { readonly timeoutMs: number; readonly freshMs: number } = HEALTH_LIMITS,
): () => Promise<Health> {
  const components = Object.entries(checks).map(([name, { check, critical }]) => ({
    name,
    critical,
    look: watch(name, check, { log, ...limits }),
  }));
  let last: Status = 'up';
  return async () => {
    const found = await Promise.all(
      components.map(async ({ name, critical, look }) => ({ name, critical, component: await look() })),
    );
    const worst = found.map(({ critical, component: { status } }): Status =>
      status === 'down' && !critical ? 'degraded' : status,
    );
    const status = worst.includes('down') ? 'down' : worst.includes('degraded') ? 'degraded' : 'up';
    if (status !== last) {
      const ill = found.filter(({ component }) => component.status !== 'up').map(({ name }) => name);
      log[status === 'down' ? 'error' : 'warn']({ status, before: last, components: ill }, 'health');
      last = status;
    }
    return {
      status,
      timestamp: new Date().toISOString(),
      version,
      components: Object.fromEntries(found.map(({ name, component }) => [name, component])),
    };
  };
}

/** One component: the last that was found of it while that is fresh, else what the check under way finds. */
function watch(
  name: string,
  check: HealthCheck,
  { timeoutMs, freshMs, log }: { readonly timeoutMs: number; readonly freshMs: number; readonly log: Log },
): () => Promise<Component> {
  let last: { readonly component: Component; readonly at: number } | undefined;
  let underWay: Promise<Component> | undefined;
  const run = async (): Promise<Component> => {
    const start = performance.now();
    let finding: Finding;
    try {
      finding = await check();
    } catch (err) {
      finding = failed(err);
      if (last?.component.status !== 'down') log.warn({ err, component: name }, 'a health check failed');
    }
    const component = asOf(finding, start);
    last = { component, at: performance.now() };
    underWay = undefined;
    return component;
  };
  return async () => {
    if (last && performance.now() - last.at < freshMs) return last.component;
    const start = performance.now();
    underWay ??= run();
    return within(timeoutMs, underWay, () =>
      asOf({ status: 'down', message: `no answer within ${timeoutMs} ms` }, start),
    );
  };
}

function asOf(finding: Finding, start: number): Component {
  return {
    status: finding.status,
    ...(finding.message !== undefined && { message: finding.message }),
    ...(finding.details !== undefined && { details: { ...finding.details } }),
    lastChecked: new Date().toISOString(),
    durationMs: Math.round((performance.now() - start) * 100) / 100,
  };
}

/** In the words of the page of errors: what was thrown is for the log. */
function failed(thrown: unknown): Finding {
  const { code } = happened(thrown, 'health.check');
  return { status: 'down', message: PROBLEMS[code].title, details: { code } };
}

/** `/livez` says that the process answers; `/readyz` and `/health` say what it depends on. */
export function healthRoutes(app: FastifyInstance, needs: HealthNeeds): void {
  const health = healthMonitor(needs);
  const config = { isProbe: true, access: 'open' } as const;
  app.get('/livez', { config }, async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'up' }),
  );
  app.get('/readyz', { config }, async (_request, reply) => {
    const { status, components } = await health();
    const states = Object.entries(components).map(([name, component]) => [name, component.status]);
    return reply
      .code(status === 'down' ? 503 : 200)
      .header('cache-control', 'no-store')
      .send({ status, components: Object.fromEntries(states) });
  });
  app.get('/health', { config }, async (_request, reply) => {
    const found = await health();
    return reply
      .code(found.status === 'down' ? 503 : 200)
      .header('cache-control', 'no-store')
      .send(found);
  });
}
