import type { RealtimeMetrics } from '../realtime/metrics.ts';

type Counted = RealtimeMetrics['closes'];
type Distributed = RealtimeMetrics['commitToSocketMs'];

/** What the real-time side tells of itself, in the text format of Prometheus (version 0.0.4). Times are in seconds. */
export function realtimeExposition(metrics: RealtimeMetrics): string {
  const lines = [
    ...gauge('connections', 'Sockets and streams that are open.', metrics.connections),
    ...gauge('lagging', 'Readers that are too slow for what is sent to them.', metrics.lagging),
    ...histogram(
      'commit_to_socket_seconds',
      'From a commit until its events are handed to the sockets.',
      metrics.commitToSocketMs,
      1 / 1000,
    ),
    ...histogram(
      'unacknowledged_events',
      'Events that a reader had not acknowledged, at each acknowledgement.',
      metrics.unacknowledged,
      1,
    ),
    ...counter('replays_total', 'Replays, by their result.', metrics.replays, 'result'),
    ...counter('gaps_total', 'Holes that clients found and had filled.', metrics.gaps),
    ...counter('lags_total', 'Times that a reader became too slow.', metrics.lags),
    ...counter('closes_total', 'Connections that were closed, by code.', metrics.closes, 'code'),
    ...counter('refused_total', 'Connections that were refused, by reason.', metrics.refused, 'reason'),
    ...counter('serialised_total', 'Events made into JSON.', metrics.serialised),
    ...counter('sent_total', 'Events sent.', metrics.sent),
  ];
  return `${lines.join('\n')}\n`;
}

const nameOf = (name: string): string => `brain2_realtime_${name}`;

function head(name: string, help: string, type: 'counter' | 'gauge' | 'histogram'): string[] {
  return [`# HELP ${nameOf(name)} ${help}`, `# TYPE ${nameOf(name)} ${type}`];
}

function gauge(name: string, help: string, value: number): string[] {
  return [...head(name, help, 'gauge'), `${nameOf(name)} ${value}`];
}

/** A label is a code or a reason of a closed set, so it needs no escaping. */
function counter(name: string, help: string, counted: Counted, label?: string): string[] {
  const values =
    label === undefined
      ? [`${nameOf(name)} ${counted.get()}`]
      : [...counted.all].map(([value, count]) => `${nameOf(name)}{${label}="${value}"} ${count}`);
  return [...head(name, help, 'counter'), ...values];
}

function histogram(name: string, help: string, { bounds, counts, sum }: Distributed, unit: number): string[] {
  let total = 0;
  const buckets = counts.map((count, at) => {
    total += count;
    const bound = bounds[at];
    return `${nameOf(name)}_bucket{le="${bound === undefined ? '+Inf' : bound * unit}"} ${total}`;
  });
  const sums = [`${nameOf(name)}_sum ${sum * unit}`, `${nameOf(name)}_count ${total}`];
  return [...head(name, help, 'histogram'), ...buckets, ...sums];
}
