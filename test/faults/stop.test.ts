import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Node } from '../../src/api/v2.ts';
import { Ledger } from './ledger.ts';
import { textOf } from './notes.ts';
import { examine } from './oracle.ts';
import { SEED, seeded } from './seed.ts';
import { listening } from './server-process.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-stop-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SENDERS = 24;
const SOCKETS = 50;
const ANSWERS_BEFORE = 300;

/** A socket that is welcome, and all that it is told until it is closed. */
async function listener(url: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'brain2.v1');
  const frames: { readonly action: string; readonly code?: number }[] = [];
  const welcome = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      frames.push(JSON.parse((data as Buffer).toString()) as (typeof frames)[number]);
      resolve();
    });
  });
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  socket.send(JSON.stringify({ action: 'hello' }));
  await welcome;
  return { frames, closed };
}

/** An answer, or the code of what went wrong with the connection. */
function send(
  url: string,
  agent: Agent,
  body?: object,
): Promise<{ status: number; answer: string } | { code: string }> {
  return new Promise((resolve) => {
    const headers = body ? { 'content-type': 'application/json' } : {};
    const outgoing = request(url, { agent, method: body ? 'POST' : 'GET', headers }, (incoming) => {
      text(incoming).then(
        (answer) => resolve({ status: incoming.statusCode ?? 0, answer }),
        () => resolve({ code: 'cut off' }),
      );
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    outgoing.end(body && JSON.stringify(body));
  });
}

it('stopped under load, a server fails no request and tells every socket; what it acknowledged is there', async () => {
  const dataDir = join(root, 'data');
  const server = await listening(dataDir);
  const listeners = await Promise.all(Array.from({ length: SOCKETS }, () => listener(server.url)));
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  const ledger = new Ledger();
  const failed: unknown[] = [];
  let answers = 0;
  let stopping: ReturnType<typeof server.stop> | undefined;
  const sending = Array.from({ length: SENDERS }, async (_, sender) => {
    const random = seeded(SEED * 1_000 + sender);
    for (let number = 0; ; number++) {
      const isWrite = (sender + number) % 3 === 0;
      const input = { title: `note ${sender} ${number}`, content: textOf(number % 10, random) };
      const url = `${server.url}/api/v2/${isWrite ? 'nodes' : 'nodes?limit=5'}`;
      const result = await send(url, agent, isWrite ? input : undefined);
      // Nobody listens any more: nothing was sent.
      if ('code' in result && result.code === 'ECONNREFUSED' && stopping) return;
      if ('code' in result || result.status >= 300) failed.push(result);
      else if (isWrite) ledger.acknowledge('nodes', (JSON.parse(result.answer) as Node).id, input);
      if (failed.length > 0) return;
      answers += 1;
      if (answers === ANSWERS_BEFORE) stopping = server.stop();
    }
  });
  await Promise.all(sending);
  agent.destroy();
  expect(failed).toEqual([]);
  expect((await stopping)?.code).toBe(0);
  for (const { frames, closed } of listeners) {
    await closed;
    expect(frames.at(-1)).toMatchObject({ action: 'bye', code: 4503 });
  }
  expect(answers).toBeGreaterThanOrEqual(ANSWERS_BEFORE);
  expect(await examine(dataDir, ledger.expectations)).toEqual([]);
});
