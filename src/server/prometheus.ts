import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestMetrics } from '../http/context.ts';
import type { Exposition } from '../http/metrics.ts';
import { READINGS, type Readings } from './readings.ts';
import type { OnWork } from './watched.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Others are counted as one: a label has no value that a caller can make up. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts in memory, in the text format of Prometheus. Labels are routes, methods, statuses and kinds, nothing else. */
export function prometheus(needs: { readonly version: string; readonly readings: () => Promise<Readings> }) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { requests, durations, work, transactions, info, gauges } = instruments(registry);
  info.set({ version: needs.version }, 1);

  const metrics: RequestMetrics & Exposition & { readonly onWork: OnWork } = {
    contentType: registry.contentType,
    answered({ method, route, status, durationMs }) {
      const labels = { method: METHODS.has(method) ? method : 'other', route };
      requests.inc({ ...labels, status });
      durations.observe(labels, durationMs / 1000);
    },
    onWork({ kind, durationMs, isDone, size }) {
      work.observe({ kind, outcome: isDone ? 'done' : 'failed' }, durationMs / 1000);
      if (kind === 'store.commit' && isDone) transactions.inc(size);
    },
    /** Also while the store does not answer: then it has no readings. */
    async text() {
      const readings = await needs.readings().catch(() => undefined);
      for (const { name, gauge } of gauges) {
        if (readings) gauge.set(readings[name]);
        else gauge.remove();
      }
      return registry.metrics();
    },
  };
  return metrics;
}

function instruments(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'brain2_http_requests_total',
      help: 'Requests that were answered or cut off.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    durations: new Histogram({
      name: 'brain2_http_request_duration_seconds',
      help: 'From the head of the request to the end of its answer.',
      labelNames: ['method', 'route'],
      buckets: SECONDS,
      registers,
    }),
    work: new Histogram({
      name: 'brain2_work_duration_seconds',
      help: 'Commits of the store, and notes linked.',
      labelNames: ['kind', 'outcome'],
      buckets: SECONDS,
      registers,
    }),
    transactions: new Counter({
      name: 'brain2_store_transactions_total',
      help: 'Transactions committed; those of one commit are synced together.',
      registers,
    }),
    info: new Gauge({ name: 'brain2_info', help: 'Always 1.', labelNames: ['version'], registers }),
    gauges: Object.entries(READINGS).map(([name, help]) => ({
      name: name as keyof Readings,
      gauge: new Gauge({ name, help, registers }),
    })),
  };
}
