import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Changes } from '../../src/api/v2.ts';
import { openBrain } from '../../src/server/brain.ts';
import { dataFolder } from './client.ts';
import { placeOf } from '../support/place.ts';

interface Line {
  readonly msg: string;
  readonly level: string;
  readonly route?: string;
  readonly status?: number;
  readonly correlationId: string;
  readonly requestId: string;
  readonly ownerId: string;
  readonly traceId: string;
}

/** A Brain2 on a socket, with its log kept. */
async function loggedBrain() {
  const written: string[] = [];
  const waiting: { readonly msg: string; readonly found: () => void }[] = [];
  const sink = {
    write(line: string) {
      written.push(line);
      for (const { msg, found } of waiting) if (line.includes(msg)) found();
    },
  };
  const brain = await openBrain({ ...(await placeOf(dataFolder())), logLevel: 'trace' }, { logTo: sink });
  onTestFinished(() => brain.close());
  const url = await brain.app.listen({ host: '127.0.0.1', port: 0 });
  const lines = () => written.map((line) => JSON.parse(line) as Line);
  return {
    url,
    written,
    lines,
    /** Waits for a line that holds this. */
    async logged(msg: string): Promise<void> {
      if (written.some((line) => line.includes(msg))) return;
      await new Promise<void>((found) => waiting.push({ msg, found }));
    },
  };
}

const MARKER = 'xylophonequartz';
const JSON_TYPE = { 'content-type': 'application/json' };

async function answerOf(sent: ClientRequest): Promise<{ status: number | undefined; body: string }> {
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, body: await text(answer) };
}

describe('the context of a request on a socket', () => {
  it('holds when the body comes long after the head, in the answer, the log and the event', async () => {
    const { url, lines, logged } = await loggedBrain();
    const headers = {
      ...JSON_TYPE,
      'x-correlation-id': 'slow-1',
      traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`,
    };
    const sent = request(`${url}/api/v2/nodes`, { method: 'POST', headers });
    sent.flushHeaders();
    // Another request in between: by its end the head of the first one was read.
    await fetch(`${url}/livez`);
    sent.write('{"content":');
    await fetch(`${url}/livez`);
    sent.end('"a thought"}');
    const { status } = await answerOf(sent);
    expect(status).toBe(201);
    const changes = (await (await fetch(`${url}/api/v2/changes`)).json()) as Changes;
    expect(changes.items.map((c) => c.correlationId)).toEqual(['slow-1']);
    await logged('slow-1');
    const line = lines().find((each) => each.route === '/api/v2/nodes');
    expect(line).toMatchObject({
      correlationId: 'slow-1',
      ownerId: 'local',
      traceId: 'ab'.repeat(16),
      status: 201,
    });
  });

  it('is that of the problem and of the log when a late body cannot be read', async () => {
    const { url } = await loggedBrain();
    const sent = request(`${url}/api/v2/nodes`, {
      method: 'POST',
      headers: { ...JSON_TYPE, 'x-correlation-id': 'slow-2' },
    });
    sent.flushHeaders();
    await fetch(`${url}/livez`);
    sent.end('{"content":');
    const { status, body } = await answerOf(sent);
    expect([status, JSON.parse(body)]).toMatchObject([400, { code: 'malformed', correlationId: 'slow-2' }]);
  });

  it('is that of an import whose caller goes away, in every line that tells of it', async () => {
    const { url, lines, logged } = await loggedBrain();
    const headers = { 'content-type': 'application/x-ndjson', 'x-correlation-id': 'gone-1' };
    const sent = request(`${url}/api/v2/imports?collection=v`, { method: 'POST', headers });
    sent.on('error', () => {}); // it is we who cut it
    for (let i = 0; i < 150; i++) sent.write(`{"key":"k${i}","content":"note ${i}"}\n`);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    sent.destroy();
    await logged('request cut off');
    const mine = lines().filter((line) => line.route === '/api/v2/imports');
    expect(mine.map((line) => line.msg)).toEqual(['request cut off', 'audit']);
    expect(new Set(mine.map((line) => line.correlationId))).toEqual(new Set(['gone-1']));
    expect(lines().filter((line) => line.level === 'error')).toEqual([]);
  });
});

describe('the log of a run', () => {
  it('has the four ids in every line and nothing of what the notes say in any', async () => {
    const { url, written, lines } = await loggedBrain();
    const send = async (
      method: string,
      path: string,
      body?: string,
      headers: Record<string, string> = JSON_TYPE,
    ) => {
      const answer = await fetch(`${url}${path}`, { method, headers, ...(body !== undefined && { body }) });
      return { status: answer.status, body: await answer.text() };
    };
    const note = {
      title: `${MARKER} title`,
      content: `${MARKER} content`,
      tags: [MARKER],
      aliases: [`${MARKER} too`],
    };
    const created = await send('POST', '/api/v2/nodes', JSON.stringify(note));
    const { id } = JSON.parse(created.body) as { id: string };
    const statuses = [
      created,
      await send('PATCH', `/api/v2/nodes/${id}`, JSON.stringify({ content: MARKER }), {
        ...JSON_TYPE,
        'if-match': '"9"',
      }),
      await send('POST', '/api/v2/nodes', `{"content": "${MARKER}`),
      await send('POST', '/api/v2/nodes', JSON.stringify({ [MARKER]: MARKER, tags: MARKER })),
      await send('POST', '/api/v2/nodes', `{"${MARKER}":${'['.repeat(20_000)}`),
      await send('POST', '/api/v2/nodes/preview-links', JSON.stringify(note)),
      await send('GET', `/api/v2/search?q=${MARKER}`, undefined, {}),
      await send('GET', `/api/v2/nodes?tag=${MARKER}`, undefined, {}),
      await send('GET', `/${MARKER}`, undefined, {}),
      await send('GET', '/%zz', undefined, {}),
      await send(
        'POST',
        '/api/v2/imports?collection=v',
        `{"key":"a","content":"${MARKER}"}\n{"key": ${MARKER}\n`,
        {
          'content-type': 'application/x-ndjson',
        },
      ),
      await send('POST', '/api/v2/categories', JSON.stringify({ title: MARKER })),
      await send('GET', '/health', undefined, {}),
      await send('DELETE', `/api/v2/nodes/${id}`, undefined, { 'if-match': '*' }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([201, 412, 400, 422, 400, 200, 200, 200, 404, 400, 200, 201, 200, 204]);
    expect(lines().filter(({ msg }) => msg === 'request').length).toBeGreaterThanOrEqual(statuses.length - 1);
    for (const line of lines()) {
      for (const name of ['correlationId', 'requestId', 'ownerId', 'traceId'] as const)
        expect([line.msg, name, typeof line[name]]).toEqual([line.msg, name, 'string']);
    }
    for (const line of lines().filter(({ msg }) => msg === 'request')) {
      expect(line.ownerId).toBe('local');
      expect(line.traceId).toMatch(/^[0-9a-f]{32}$/);
    }
    expect(written.filter((line) => line.includes(MARKER))).toEqual([]);
  });
});
