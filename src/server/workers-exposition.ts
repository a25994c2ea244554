import type { WorkerPoolMetrics } from '../shared/worker-pool.ts';
import { counter, gauge } from './exposition-lines.ts';

/** What the workers tell of themselves, in the text format of Prometheus (version 0.0.4). Times are in seconds. */
export function workersExposition(metrics: WorkerPoolMetrics): string {
  const { outcomes, waitedMs, workedMs } = metrics;
  const total = (value: number) => ({ get: () => value, all: [] });
  const lines = [
    ...gauge('workers_threads', 'Worker threads that are alive.', metrics.threads),
    ...gauge('workers_running', 'Jobs that are being done.', metrics.running),
    ...gauge('workers_waiting', 'Jobs that wait for a worker.', metrics.waiting),
    ...counter(
      'workers_jobs_total',
      'Jobs, by what became of them.',
      { get: () => 0, all: Object.entries(outcomes) },
      'outcome',
    ),
    ...counter('workers_waited_seconds_total', 'Time that jobs waited.', total(waitedMs / 1000)),
    ...counter('workers_worked_seconds_total', 'Time that jobs took.', total(workedMs / 1000)),
  ];
  return `${lines.join('\n')}\n`;
}
