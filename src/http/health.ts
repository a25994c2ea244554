import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import type { Health } from '../api/common.ts';

type Status = Health['status'];

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

const TIMEOUT_MS = 2_000;
const LOOP_DELAY_DEGRADED_MS = 200;

/** Runs all checks side by side; one that hangs times out alone. */
export async function runChecks(
  checks: HealthChecks,
  facts: { readonly version: string },
  timeoutMs = TIMEOUT_MS,
): Promise<Health> {
  const entries = await Promise.all(
    Object.entries(checks).map(async ([name, { check }]) => {
      const start = performance.now();
      const finding = await bounded(check, timeoutMs);
      const component = {
        ...finding,
        lastChecked: new Date().toISOString(),
        durationMs: Math.round((performance.now() - start) * 100) / 100,
      };
      return [name, component] as const;
    }),
  );
  const worst = entries.map(([name, { status }]): Status =>
    status === 'down' && !checks[name]?.critical ? 'degraded' : status,
  );
  const status = worst.includes('down') ? 'down' : worst.includes('degraded') ? 'degraded' : 'up';
  return {
    status,
    timestamp: new Date().toISOString(),
    version: facts.version,
    components: Object.fromEntries(entries) as Health['components'],
  };
}

async function bounded(check: HealthCheck, timeoutMs: number): Promise<Finding> {
  const timeout = Promise.withResolvers<Finding>();
  const timer = setTimeout(
    () => timeout.resolve({ status: 'down', message: `no answer within ${timeoutMs} ms` }),
    timeoutMs,
  );
  try {
    return await Promise.race([check(), timeout.promise]);
  } catch (error) {
    return { status: 'down', message: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

/** How long the event loop keeps callers waiting: 99th percentile since the last check. */
export function eventLoopCheck(): { readonly check: HealthCheck; readonly stop: () => void } {
  const histogram = monitorEventLoopDelay({ resolution: 20 });
  histogram.enable();
  return {
    async check() {
      const p99Ms = Math.round(histogram.percentile(99) / 1e4) / 100;
      histogram.reset();
      const slow = p99Ms > LOOP_DELAY_DEGRADED_MS;
      return {
        status: slow ? 'degraded' : 'up',
        ...(slow && { message: 'the process is too busy to answer in time' }),
        details: { p99Ms },
      };
    },
    stop: () => histogram.disable(),
  };
}

/** `/livez` says that the process answers; `/readyz` and `/health` say what it depends on. */
export function healthRoutes(
  app: FastifyInstance,
  needs: { readonly checks: HealthChecks; readonly version: string },
) {
  app.get('/livez', async () => ({ status: 'up' }));
  app.get('/readyz', async (_request, reply) => {
    const { status } = await runChecks(needs.checks, needs);
    return reply.code(status === 'down' ? 503 : 200).send({ status });
  });
  app.get('/health', async (_request, reply) => {
    const health = await runChecks(needs.checks, needs);
    return reply
      .code(health.status === 'down' ? 503 : 200)
      .header('cache-control', 'no-store')
      .send(health);
  });
}
