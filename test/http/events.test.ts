import { request } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { EventFrame, Ticket } from '../../src/api/realtime.ts';
import { serverFrame } from '../realtime/frames.ts';
import { listeningBrain, RawPeer } from '../realtime/server.ts';
import { AUDIENCE, ISSUER, newIssuer, signingKey, tokenOf } from './issuer.ts';

interface Message {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** The messages of a stream of server-sent events, as they come. */
async function* messagesOf(answer: Response): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of answer.body!) {
    const blocks = (rest + decoder.decode(piece, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field('data') ?? '';
      serverFrame(data);
      yield { id: field('id'), event: field('event'), data };
    }
  }
}

/** The first so many messages of a stream, which is then left. */
async function take(url: string, count: number, headers: Record<string, string> = {}): Promise<Message[]> {
  const answer = await fetch(url, { headers });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  const taken: Message[] = [];
  for await (const message of messagesOf(answer)) {
    taken.push(message);
    if (taken.length === count) break;
  }
  return taken;
}

describe('GET /api/v2/events', () => {
  it('[RT2] gives events one by one without a name, each with the id from which Last-Event-ID resumes', async () => {
    const { client, url, brain } = await listeningBrain();
    for (const title of ['A', 'B', 'C']) await client.create({ title });
    const { epoch } = await client.get<{ epoch: string }>('/graph');
    const all = await take(`${url}/api/v2/events?after=${epoch}-0`, 6);
    expect(all.map(({ event, id }) => [event, id])).toEqual([
      ['welcome', undefined],
      ['replay.begin', undefined],
      [undefined, `${epoch}-1`],
      [undefined, `${epoch}-2`],
      [undefined, `${epoch}-3`],
      ['replay.end', undefined],
    ]);
    const [, , second] = await take(`${url}/api/v2/events`, 3, { 'last-event-id': `${epoch}-1` });
    expect((JSON.parse(second?.data ?? '') as EventFrame).seq).toBe(2);
    while (brain.hub.metrics.connections > 0) await nextTurn();
  });

  it('[RT2] a reader who is cut off before anything happened is given what it missed', async () => {
    const { client, url } = await listeningBrain();
    await client.create({ title: 'A' });
    const [welcome] = await take(`${url}/api/v2/events`, 1);
    const { epoch } = await client.get<{ epoch: string }>('/graph');
    expect(welcome?.id).toBe(`${epoch}-1`);
    await client.create({ title: 'B' });
    const [, begin] = await take(`${url}/api/v2/events`, 2, { 'last-event-id': welcome?.id ?? '' });
    expect(JSON.parse(begin?.data ?? '')).toEqual({ action: 'replay.begin', from: 1, to: 2 });
  });

  it('a reader who is gone before the stream begins is no connection for longer than that', async () => {
    const key = await signingKey('key');
    const issuer = await newIssuer([key]);
    const release = issuer.hold();
    const { jwksUrl } = issuer;
    const settings = { auth: 'jwt', jwksUrl, jwtIssuer: ISSUER, jwtAudience: AUDIENCE } as const;
    const { url, brain } = await listeningBrain(settings);
    const isGone = Promise.withResolvers<void>();
    brain.app.server.on('request', (_request, answer) => answer.on('close', () => isGone.resolve()));
    const authorization = `Bearer ${await tokenOf(key, {}, { nowMs: Date.now() })}`;
    const reader = request(`${url}/api/v2/events`, { headers: { authorization } });
    reader.on('error', () => undefined).end();
    while (issuer.fetches() === 0) await nextTurn();
    reader.destroy();
    await isGone.promise;
    release();
    const { metrics } = brain.hub;
    while (metrics.closes.get('1001') === 0) await nextTurn();
    expect(metrics.connections).toBe(0);
  });

  it('gives what is new, by the filter of its parameters', async () => {
    const { client, url } = await listeningBrain();
    const answer = await fetch(`${url}/api/v2/events?types=node.updated,category.*&tags=sleep`);
    const messages = messagesOf(answer);
    expect((await messages.next()).value?.event).toBe('welcome');
    const { id } = await client.create({ title: 'A', tags: ['sleep'] });
    await client.create({ title: 'Other' });
    await client.patch(id, { title: 'B' });
    const { value } = await messages.next();
    expect(JSON.parse(value?.data ?? '')).toMatchObject({ type: 'node.updated', nodeId: id, prev: 0 });
    await messages.return(undefined);
  });

  it('[RT2] says by name why it cannot go on from a position', async () => {
    const { client, url } = await listeningBrain();
    await client.create({ title: 'A' });
    const [, resync] = await take(`${url}/api/v2/events?after=another-7`, 2);
    expect([resync?.event, JSON.parse(resync?.data ?? '')]).toMatchObject([
      'resync',
      { reason: 'epoch_changed' },
    ]);
  });

  it('[RT10] refuses by name: a position that is none, a type that no event has, an unknown parameter', async () => {
    const { client, url } = await listeningBrain();
    expect((await client.send('GET', '/events?after=12')).body).toMatchObject({
      status: 400,
      code: 'malformed',
    });
    expect((await client.send('GET', '/events?type=node.*')).body).toMatchObject({
      status: 422,
      code: 'invalid',
    });
    const [error, bye] = await take(`${url}/api/v2/events?types=node.made`, 2);
    expect([error?.event, bye?.event]).toEqual(['error', 'bye']);
  });
});

describe('POST /api/v2/ws/tickets', () => {
  it('[RT9] admits one connection', async () => {
    const { client, socketUrl } = await listeningBrain();
    const { ticket, expiresInMs } = await client.post<Ticket>('/ws/tickets', undefined);
    expect(expiresInMs).toBe(30_000);
    const hello = JSON.stringify({ action: 'hello', ticket });
    const first = new RawPeer(socketUrl);
    first.socket.on('open', () => first.say(hello));
    await first.get('welcome');
    const second = new RawPeer(socketUrl);
    second.socket.on('open', () => second.say(hello));
    expect(await second.get('bye')).toMatchObject({ code: 4401 });
    first.end();
  });
});
