import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTelemetry } from '../../src/server/telemetry.ts';
import { createLog } from '../../src/shared/log.ts';
import { dataFolder } from './client.ts';
import { environmentOf } from '../support/place.ts';
import { MARKER, markedNote } from './walk.ts';

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
}
interface Attribute {
  readonly key: string;
  readonly value: Value;
}
interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
}

/** A collector that takes OTLP over HTTP, and keeps what it was sent. */
async function collector() {
  const received: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[] =
    [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    received.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
    response.setHeader('content-type', 'application/json').end('{}');
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const bodies = (path: string) =>
    received.filter((one) => one.path === path).map(({ body }) => JSON.parse(body) as unknown);
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    spans: () =>
      (bodies('/v1/traces') as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }[])
        .flatMap(({ resourceSpans }) => resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans),
    metrics: () =>
      (bodies('/v1/metrics') as { resourceMetrics: { scopeMetrics: { metrics: { name: string }[] }[] }[] }[])
        .flatMap(({ resourceMetrics }) => resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
        .map(({ name }) => name),
  };
}

/** `brain2 serve` with these variables, asked something, and stopped; gives its log. */
async function run(environment: Readonly<Record<string, string>>, ask: (url: string) => Promise<void>) {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const dataDir = dataFolder();
  const place = await environmentOf(dataDir);
  const child = spawn(process.execPath, [main, 'serve', '--data', dataDir, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...place, ...environment },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: Record<string, unknown>[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(JSON.parse(line) as Record<string, unknown>);
    if (lines.at(-1)?.['msg'] !== 'listening') continue;
    await ask(String(lines.at(-1)?.['url']));
    child.kill('SIGTERM');
  }
  return lines;
}

const attribute = ({ attributes }: Span, name: string) => {
  const { value } = attributes.find(({ key }) => key === name) ?? {};
  return value?.stringValue ?? (value?.intValue === undefined ? undefined : Number(value.intValue));
};

describe('traces and metrics for a collector', () => {
  it('are sent for requests, commits and linking, in the trace of the caller, with the ids of the log', async () => {
    const { endpoint, received, spans, metrics } = await collector();
    const [traceId, parentSpanId] = ['ab'.repeat(16), 'cd'.repeat(8)];
    let answered: Response | undefined;
    const lines = await run(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k',
        OTEL_SERVICE_NAME: 'my-brain',
      },
      async (url) => {
        answered = await fetch(`${url}/api/v2/nodes?`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-correlation-id': 'otel-1',
            traceparent: `00-${traceId}-${parentSpanId}-01`,
          },
          body: JSON.stringify(markedNote('first')),
        });
        await fetch(`${url}/api/v2/nodes/${MARKER}?q=${MARKER}`);
      },
    );
    const mine = spans().filter((span) => span.traceId === traceId);
    expect(mine.map(({ name }) => name).sort()).toEqual(['POST /api/v2/nodes', 'linking', 'store.commit']);
    const request = mine.find(({ name }) => name.startsWith('POST'));
    if (!request) throw new Error('there is no span of the request');
    expect(request.parentSpanId).toBe(parentSpanId);
    expect(mine.filter((span) => span !== request).map((span) => span.parentSpanId)).toEqual([
      request.spanId,
      request.spanId,
    ]);
    expect(
      ['http.route', 'http.response.status_code', 'brain2.correlation_id'].map((name) =>
        attribute(request, name),
      ),
    ).toEqual(['/api/v2/nodes', 201, 'otel-1']);
    expect(answered?.headers.get('traceresponse')).toBe(`00-${traceId}-${request.spanId}-01`);
    expect(lines.find((line) => line['correlationId'] === 'otel-1')).toMatchObject({
      traceId,
      spanId: request.spanId,
    });
    expect(metrics()).toEqual(
      expect.arrayContaining(['http.server.request.duration', 'brain2.work.duration', 'brain2.log_position']),
    );
    expect(received.every(({ headers }) => headers['x-key'] === 'k')).toBe(true);
    expect(received[0]?.body).toContain('my-brain');
    expect(JSON.stringify(received)).not.toContain(MARKER);
  });

  it('are of a caller who does not record, not recorded; with always_off, nobody is', async () => {
    const { endpoint, spans } = await collector();
    const ask = async (url: string) => {
      const headers = { traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-00` };
      const answer = await fetch(`${url}/livez`, { headers });
      expect(answer.headers.get('traceresponse')).toMatch(/-00$/);
    };
    await run({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, ask);
    await run({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER: 'always_off' }, async (url) => {
      await fetch(`${url}/livez`);
    });
    expect(spans()).toEqual([]);
  });

  it('that nobody takes are told of in one line; no request waits for them, and the end not for long', async () => {
    const lines = await run(
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_BSP_SCHEDULE_DELAY: '50' },
      async (url) => {
        for (let request = 0; request < 20; request++) expect((await fetch(`${url}/livez`)).status).toBe(200);
      },
    );
    expect(lines.at(-1)).toMatchObject({ msg: 'stopped' });
    expect(lines.filter(({ msg }) => String(msg).includes('cannot be exported')).length).toBeLessThanOrEqual(
      1,
    );
  });

  it('cost nothing where there is no collector: nothing of the SDK is loaded', async () => {
    const log = createLog({ level: 'silent', format: 'json' });
    const needs = { version: '1', log };
    expect(await startTelemetry({}, needs)).toBeUndefined();
    expect(
      await startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_SDK_DISABLED: 'true' }, needs),
    ).toBeUndefined();
    const main = fileURLToPath(new URL('../../src/server/brain.ts', import.meta.url));
    const settings = fileURLToPath(new URL('../../src/server/settings.ts', import.meta.url));
    const script = `import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ resolve(name, context, next) { seen.push(name); return next(name, context); } });
      const { openBrain } = await import(${JSON.stringify(main)});
      const { DEFAULTS } = await import(${JSON.stringify(settings)});
      const brain = await openBrain({ ...DEFAULTS, dataDir: process.argv[1], logLevel: 'silent' });
      await brain.close();
      console.log(JSON.stringify(seen.filter((name) => /sdk-|otlp|open-telemetry/.test(name))));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, dataFolder()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(JSON.parse(await text(child.stdout))).toEqual([]);
  });
});
