import type { RequestMetrics, RequestTracer } from '../http/context.ts';
import type { Exposition } from '../http/metrics.ts';
import type { Log } from '../shared/log.ts';
import type { Readings } from './readings.ts';
import { startTelemetry } from './telemetry.ts';
import { VERSION } from './version.ts';
import type { OnWork } from './watched.ts';

/** All who watch a Brain2 at work, as one. */
export interface Observation {
  readonly metrics?: RequestMetrics;
  readonly tracer?: RequestTracer | undefined;
  readonly exposition?: Exposition;
  readonly onWork?: OnWork;
  /** Gives them what can be read at any time; called once, when there is something to read. */
  measure(readings: () => Promise<Readings>): void;
  stop(): Promise<void>;
}

/** For a command on its own, which nobody scrapes: loading what counts costs more than the command takes. */
export const UNOBSERVED: Observation = { measure: () => {}, stop: async () => {} };

/** Counts for `/metrics`, and the export of traces and metrics where `environment` names a collector. */
export async function observe(
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
): Promise<Observation> {
  const { prometheus } = await import('./prometheus.ts');
  let readings = (): Promise<Readings> => Promise.reject(new Error('there is nothing to read yet'));
  const counts = prometheus({ version: VERSION, readings: () => readings() });
  const telemetry = await startTelemetry(environment, { version: VERSION, log });
  if (!telemetry) {
    const measure = (read: typeof readings): void => void (readings = read);
    return { metrics: counts, exposition: counts, onWork: counts.onWork, measure, stop: async () => {} };
  }
  return {
    metrics: {
      answered(answer) {
        counts.answered(answer);
        telemetry.answered(answer);
      },
    },
    tracer: telemetry.tracer,
    exposition: counts,
    onWork(work) {
      counts.onWork(work);
      telemetry.onWork(work);
    },
    measure(read) {
      readings = read;
      telemetry.measure(read);
    },
    stop: () => telemetry.stop(),
  };
}
