import {
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context as OtelContext,
} from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { Answered, RequestMetrics, RequestTracer } from '../http/context.ts';
import { currentContext } from '../shared/context.ts';
import type { Log } from '../shared/log.ts';
import { READINGS, type Readings } from './readings.ts';
import type { OnWork, Work } from './watched.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** For one export with its repeats, and so for the last at the end: a collector that is gone delays it by no more. */
const EXPORT_MS = 3_000;

/** Traces and metrics on their way to a collector. */
export interface Telemetry extends RequestMetrics {
  readonly tracer: RequestTracer;
  readonly onWork: OnWork;
  /** What is measured with each export, beside what is counted. */
  measure(readings: () => Promise<Readings>): void;
  /** Sends what has not been sent, as far as the collector takes it in a moment. */
  stop(): Promise<void>;
}

/** The SDK of OpenTelemetry, joined. Only `telemetry.ts` loads this file, and only when there is a collector. */
export function openTelemetry(
  environment: Environment,
  { version, log }: { readonly version: string; readonly log: Log },
): Telemetry {
  logTrouble(log);
  const limit = { timeoutMillis: Number(environment['OTEL_EXPORTER_OTLP_TIMEOUT']) || EXPORT_MS };
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'brain2', 'service.version': version }))
    .merge(detectResources({ detectors: [envDetector] })); // OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
  const spans = new TracerProvider({
    resource,
    sampler: samplerOf(environment),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter(limit),
        ...millisecondsOf('scheduledDelayMillis', environment['OTEL_BSP_SCHEDULE_DELAY']),
      }),
    ],
  });
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter(limit),
        ...millisecondsOf('exportIntervalMillis', environment['OTEL_METRIC_EXPORT_INTERVAL']),
      }),
    ],
  });
  return joined(spans, meters, version);
}

function joined(spans: TracerProvider, meters: MeterProvider, version: string): Telemetry {
  const tracer = spans.getTracer('brain2', version);
  const meter = meters.getMeter('brain2', version);
  const requests = meter.createHistogram('http.server.request.duration', { unit: 's' });
  const works = meter.createHistogram('brain2.work.duration', { unit: 's' });
  return {
    tracer: {
      open(parent) {
        const above = parent ? inTrace(parent.traceId, parent.parentId, parent.isSampled) : ROOT_CONTEXT;
        const span = tracer.startSpan('request', { kind: SpanKind.SERVER }, above);
        const { traceId, spanId, traceFlags } = span.spanContext();
        return {
          traceId,
          spanId,
          isSampled: (traceFlags & TraceFlags.SAMPLED) !== 0,
          end(answer) {
            span.updateName(`${answer.method} ${answer.route}`);
            span.setAttributes({ ...attributesOf(answer), ...idsOfContext() });
            if (answer.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
            span.end();
          },
        };
      },
    },
    answered: (answer) => requests.record(answer.durationMs / 1000, attributesOf(answer)),
    onWork(work) {
      works.record(work.durationMs / 1000, { 'brain2.work': work.kind, 'brain2.done': work.isDone });
      const at = currentContext();
      if (!at?.spanId) return;
      const above = inTrace(at.traceId, at.spanId, at.isSampled === true);
      tracer.startSpan(work.kind, spanOf(work), above).end(work.startedAt + work.durationMs);
    },
    measure(readings) {
      const gauges = Object.entries(READINGS).map(([name, description]) => ({
        name: name as keyof Readings,
        gauge: meter.createObservableGauge(name.replace('brain2_', 'brain2.'), { description }),
      }));
      meter.addBatchObservableCallback(
        async (result) => {
          const now = await readings();
          for (const { name, gauge } of gauges) result.observe(gauge, now[name]);
        },
        gauges.map(({ gauge }) => gauge),
      );
    },
    async stop() {
      await Promise.allSettled([spans.shutdown(), meters.shutdown()]);
      diag.disable();
    },
  };
}

function inTrace(traceId: string, spanId: string, isSampled: boolean): OtelContext {
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** Names of the semantic conventions for HTTP servers. */
function attributesOf({ method, route, status }: Answered): Attributes {
  return { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status };
}

function idsOfContext(): Attributes {
  const { correlationId, requestId } = currentContext() ?? {};
  return { 'brain2.correlation_id': correlationId, 'brain2.request_id': requestId };
}

function spanOf({ kind, startedAt, isDone, size }: Work) {
  const attributes = {
    'brain2.done': isDone,
    ...(kind === 'store.commit' && { 'brain2.transactions': size }),
  };
  return { kind: SpanKind.INTERNAL, startTime: startedAt, attributes };
}

/** The samplers by their standard names; the SDK does not read them by itself. */
function samplerOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument }: Environment): Sampler {
  const ratio = Number(argument ?? 1);
  const roots: Readonly<Record<string, () => Sampler>> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(Number.isFinite(ratio) ? ratio : 1),
  };
  const [, parentBased, rootName] = /^(parentbased_)?(.*)$/.exec(name ?? '') ?? [];
  const root = (roots[rootName ?? ''] ?? roots['always_on'])?.() ?? new AlwaysOnSampler();
  return parentBased === undefined && name !== undefined ? root : new ParentBasedSampler({ root });
}

function millisecondsOf<N extends string>(name: N, text: string | undefined): { readonly [K in N]?: number } {
  const value = Number(text);
  return text !== undefined && value > 0 ? ({ [name]: value } as { readonly [K in N]: number }) : {};
}

/** A collector that does not answer is worth one line a minute; what the SDK says of it holds its address and more. */
const TROUBLE_EVERY_MS = 60_000;

function logTrouble(log: Log): void {
  let last = Number.NEGATIVE_INFINITY;
  const tell = (): void => {
    if (performance.now() - last < TROUBLE_EVERY_MS) return;
    last = performance.now();
    log.warn('traces or metrics cannot be exported');
  };
  const quiet = (): void => {};
  diag.setLogger({ error: tell, warn: quiet, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.ERROR);
}
