import type { Answered, RequestMetrics } from '../http/context.ts';
import { buckets, head, nameOf, type Distributed } from './exposition-lines.ts';

/** Bounds of what is counted by how long it took. */
export const DURATIONS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
const MS_IN_SECONDS = 0.001;
/** Others are counted as one: a label has no value that a caller can make up. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const TOTAL = 'http_requests_total';
const DURATION = 'http_request_duration_seconds';

/** Of one method of one route. */
class Series implements Distributed {
  readonly labels: string;
  readonly byStatus = new Map<number, number>();
  readonly bounds = DURATIONS_MS;
  readonly counts = [...DURATIONS_MS, Infinity].map(() => 0);
  sum = 0;

  constructor(labels: string) {
    this.labels = labels;
  }

  add({ status, durationMs }: Answered): void {
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    let at = 0;
    while (durationMs > (this.bounds[at] ?? Infinity)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += durationMs;
  }
}

/**
 * Counts requests by method, route and status, and how long they took. The library that counts the rest makes a text of
 * all labels each time, which would cost as much as the log's line.
 */
export class RequestCounts implements RequestMetrics {
  readonly #routes = new Map<string, Map<string, Series>>();

  answered(answer: Answered): void {
    const method = METHODS.has(answer.method) ? answer.method : 'other';
    const series = this.#routes.get(answer.route)?.get(method) ?? this.#begin(answer.route, method);
    series.add(answer);
  }

  /** In the text format of Prometheus (version 0.0.4). */
  text(): string {
    const all = [...this.#routes.values()].flatMap((methods) => [...methods.values()]);
    const totals = all.flatMap(({ labels, byStatus }) =>
      [...byStatus].map(([status, count]) => `${nameOf(TOTAL)}{${labels},status="${status}"} ${count}`),
    );
    const lines = [
      ...head(TOTAL, 'Requests that were answered or cut off.', 'counter'),
      ...totals,
      ...head(DURATION, 'From the head of the request to the end of its answer.', 'histogram'),
      ...all.flatMap((series) => buckets(DURATION, series.labels, series, MS_IN_SECONDS)),
    ];
    return `${lines.join('\n')}\n`;
  }

  #begin(route: string, method: string): Series {
    const methods = this.#routes.get(route) ?? new Map<string, Series>();
    const series = new Series(`method="${method}",route="${route}"`);
    this.#routes.set(route, methods.set(method, series));
    return series;
  }
}
