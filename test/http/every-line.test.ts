import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DescribedRoute } from '../../src/http/openapi/operation.ts';
import { openBrain } from '../../src/server/brain.ts';
import { dataFolder } from './client.ts';
import { environmentOf, placeOf } from '../support/place.ts';
import { damageStored } from '../support/stored.ts';
import { MARKER, seed, walk, type Known } from './walk.ts';

interface Line {
  readonly msg: string;
  readonly level: string;
  readonly method?: string;
  readonly route?: string;
  readonly correlationId: string;
  readonly requestId: string;
  readonly ownerId: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly audit?: boolean;
  readonly action?: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Lines of the process itself, on nobody's behalf. */
const OF_PROCESS = /^(Server listening at http:\/\/[\d.:]+|listening|stopped)$/;

/** What is wrong with a line: nothing, if all is well. */
function troubles(text: string): readonly string[] {
  const found: string[] = [];
  if (text.toLowerCase().includes(MARKER)) found.push('it has a marker');
  const line = JSON.parse(text) as Line;
  if (OF_PROCESS.test(line.msg)) return found;
  if (!/^(walk-\d+|forged-\d+)$/.test(line.correlationId) && !UUID.test(line.correlationId))
    found.push('correlationId');
  if (!UUID.test(line.requestId)) found.push('requestId');
  if (line.ownerId !== 'local') found.push('ownerId');
  if (!/^[0-9a-f]{32}$/.test(line.traceId)) found.push('traceId');
  if (!/^[0-9a-f]{16}$/.test(line.spanId)) found.push('spanId');
  return found;
}

/** Every line is as it should be, and each request has the one that tells of its end. */
function expectWhole(lines: readonly string[], sent: ReadonlyMap<string, DescribedRoute>): void {
  expect(lines.filter((line) => troubles(line).length > 0).map((line) => [troubles(line), line])).toEqual([]);
  const ends = lines
    .map((line) => JSON.parse(line) as Line)
    .filter(({ msg }) => msg === 'request' || msg === 'request cut off');
  const ended = new Map(ends.map(({ correlationId, method, route }) => [correlationId, { method, route }]));
  const missing = [...sent].filter(
    ([id, { method, url }]) =>
      ended.get(id)?.method !== method || ![url, 'unknown'].includes(ended.get(id)?.route ?? ''),
  );
  expect(missing).toEqual([]);
}

/** The routes of the application as it is, and what a walk can ask them for, stored in this folder. */
async function prepared(
  dataDir: string,
): Promise<{ readonly routes: readonly DescribedRoute[]; readonly known: Known }> {
  const brain = await openBrain(await placeOf(dataDir));
  const url = await brain.app.listen({ host: '127.0.0.1', port: 0 });
  const known = await seed(url);
  await brain.close();
  return { routes: brain.app.routeTable, known };
}

/** `brain2 serve` as a process, with all that it prints. */
async function serveProcess(dataDir: string) {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, 'serve', '--data', dataDir, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(await environmentOf(dataDir)), BRAIN2_LOG_LEVEL: 'trace' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const line = (msg: string): Promise<Record<string, unknown>> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = lines.find((each) => each.includes(`"msg":"${msg}"`));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(JSON.parse(found) as Record<string, unknown>);
      };
      waiting.add(look);
      look();
    });
  const { url } = await line('listening');
  return {
    url: String(url),
    line,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'close');
      return { lines, stderr };
    },
  };
}

describe('every line that a server prints', () => {
  it('has the ids of whom it was made for and nothing that was sent or stored, on every route there is', async () => {
    const dataDir = dataFolder();
    const { routes, known } = await prepared(dataDir);
    expect(routes.length).toBeGreaterThan(30);
    const server = await serveProcess(dataDir);
    const sent = await walk(server.url, routes, known);
    const { lines, stderr } = await server.stop();
    expectWhole(lines, sent);
    expect(stderr).not.toContain(MARKER);
    expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('  '))).toEqual([]);
    const audited = lines.map((line) => JSON.parse(line) as Line).filter(({ audit }) => audit);
    expect(new Set(audited.map(({ action }) => action))).toEqual(new Set(['delete', 'export', 'import']));
  });

  it('is so as well when everything that is stored is damaged, in answers and in work that nobody asked for', async () => {
    const dataDir = dataFolder();
    const { routes, known } = await prepared(dataDir);
    await damageStored(dataDir, MARKER);
    const server = await serveProcess(dataDir);
    await server.line('start-up work failed');
    const sent = await walk(server.url, routes, known);
    await server.line('upkeep failed');
    const { lines, stderr } = await server.stop();
    expectWhole(lines, sent);
    expect(stderr).not.toContain(MARKER);
    const messages = new Set(lines.map((line) => (JSON.parse(line) as Line).msg));
    expect(messages).toContain('the stored index is damaged; rebuilding it');
    expect(lines.filter((line) => line.includes('"code":"corrupt"')).length).toBeGreaterThan(20);
  });

  it('stays one line, with ids of its own, whatever a caller writes into its headers', async () => {
    const lines: string[] = [];
    const brain = await openBrain(
      { ...(await placeOf(dataFolder())), logLevel: 'trace' },
      { logTo: { write: (line) => void lines.push(line) } },
    );
    onTestFinished(() => brain.close());
    const forged = [
      'a\\nb',
      'a%0d%0ab',
      '","ownerId":"root","x":"',
      '{"level":"fatal"}',
      'a,b',
      'ü',
      ' ',
      '-'.repeat(129),
      '\u001b[31m',
    ];
    for (const value of forged) {
      const headers = {
        'x-correlation-id': value,
        'x-request-id': value,
        'x-owner-id': value,
        traceparent: value,
      };
      await brain.app.inject({ url: '/livez', headers });
    }
    expect(lines).toHaveLength(forged.length);
    for (const line of lines) {
      expect([line.indexOf('\n'), troubles(line)]).toEqual([line.length - 1, []]);
      const { correlationId, requestId } = JSON.parse(line) as Line;
      expect(correlationId).toBe(requestId);
    }
  });
});
