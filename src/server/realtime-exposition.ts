import type { RealtimeMetrics } from '../realtime/metrics.ts';
import { counter, gauge, histogram } from './exposition-lines.ts';

/** What the real-time side tells of itself, in the text format of Prometheus (version 0.0.4). Times are in seconds. */
export function realtimeExposition(metrics: RealtimeMetrics): string {
  const lines = [
    ...gauge('realtime_connections', 'Sockets and streams that are open.', metrics.connections),
    ...gauge('realtime_lagging', 'Readers that are too slow for what is sent to them.', metrics.lagging),
    ...histogram(
      'realtime_commit_to_socket_seconds',
      'From a commit until its events are handed to the sockets.',
      metrics.commitToSocketMs,
      1 / 1000,
    ),
    ...histogram(
      'realtime_unacknowledged_events',
      'Events that a reader had not acknowledged, at each acknowledgement.',
      metrics.unacknowledged,
      1,
    ),
    ...counter('realtime_replays_total', 'Replays, by their result.', metrics.replays, 'result'),
    ...counter('realtime_gaps_total', 'Holes that clients found and had filled.', metrics.gaps),
    ...counter('realtime_lags_total', 'Times that a reader became too slow.', metrics.lags),
    ...counter('realtime_closes_total', 'Connections that were closed, by code.', metrics.closes, 'code'),
    ...counter(
      'realtime_refused_total',
      'Connections that were refused, by reason.',
      metrics.refused,
      'reason',
    ),
    ...counter('realtime_serialised_total', 'Events made into JSON.', metrics.serialised),
    ...counter('realtime_sent_total', 'Events sent.', metrics.sent),
  ];
  return `${lines.join('\n')}\n`;
}
