import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestMetrics } from '../http/context.ts';
import type { Exposition } from '../http/metrics.ts';
import { READINGS, type Readings } from './readings.ts';
import { DURATIONS_MS, RequestCounts } from './request-counts.ts';
import type { OnWork } from './watched.ts';

const SECONDS = DURATIONS_MS.map((ms) => ms / 1000);

/** Counts in memory, in the text format of Prometheus. Labels are routes, methods, statuses and kinds, nothing else. */
export function prometheus(needs: { readonly version: string; readonly readings: () => Promise<Readings> }) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { work, transactions, info, gauges } = instruments(registry);
  const requests = new RequestCounts();
  info.set({ version: needs.version }, 1);

  const metrics: RequestMetrics & Exposition & { readonly onWork: OnWork } = {
    contentType: registry.contentType,
    answered: (answer) => requests.answered(answer),
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
      return `${await registry.metrics()}${requests.text()}`;
    },
  };
  return metrics;
}

function instruments(registry: Registry) {
  const registers = [registry];
  return {
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
