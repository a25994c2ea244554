import type { RequestMetrics, RequestTracer } from '../http/context.ts';
import type { Log } from '../shared/log.ts';
import type { Readings } from './readings.ts';
import type { OnWork } from './watched.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Traces and metrics on their way to a collector. */
export interface Telemetry extends RequestMetrics {
  readonly tracer: RequestTracer;
  readonly onWork: OnWork;
  /** What is measured with each export, beside what is counted. */
  measure(readings: () => Promise<Readings>): void;
  /** Sends what has not been sent, as far as the collector takes it in a moment. */
  stop(): Promise<void>;
}

/**
 * Exports by OTLP over HTTP when the environment names an endpoint, by the names that OpenTelemetry gives its
 * variables. Where it names none, nothing of the SDK is loaded.
 */
export async function startTelemetry(
  environment: Environment,
  needs: { readonly version: string; readonly log: Log },
): Promise<Telemetry | undefined> {
  const { OTEL_SDK_DISABLED: disabled, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = environment;
  if (disabled?.toLowerCase() === 'true' || endpoint === undefined || endpoint === '') return undefined;
  const { openTelemetry } = await import('./open-telemetry.ts');
  return openTelemetry(environment, needs);
}
