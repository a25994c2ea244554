import type { Log } from '../shared/log.ts';
import type { Telemetry } from './open-telemetry.ts';

type Environment = Readonly<Record<string, string | undefined>>;

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
