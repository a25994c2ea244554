import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { EventFrame } from '../../src/api/realtime.ts';
import { managementGateway } from '../../src/aws/gateway.ts';
import type { RealtimeItem } from '../../src/client/realtime-options.ts';
import { updateNode } from '../../src/domain/node.ts';
import { ownerId } from '../../src/domain/values.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';
import { newCloud, type Cloud } from './cloud.ts';

// A gateway and a bus that do all that they may: late, twice, in another order, full, without a word at the end.

let dynamo: TestDynamo;
beforeAll(async () => void (dynamo = await startDynamo()));
afterAll(() => dynamo.stop());

const WITHIN = { timeout: 60_000, interval: 20 };
const SEED = Number(process.env['BRAIN2_TEST_SEED'] ?? 7);

/** mulberry32: the same mischief for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Everything up to the event of this number, as the client gives it on. */
async function takeUpTo(events: AsyncIterator<RealtimeItem>, last: number): Promise<readonly EventFrame[]> {
  const taken: EventFrame[] = [];
  while ((taken.at(-1)?.seq ?? 0) < last) {
    const { value } = (await events.next()) as { value: RealtimeItem };
    if (value.kind !== 'event') throw new Error(`${value.kind}: ${value.reason}`);
    taken.push(value.event);
  }
  return taken;
}

async function listen(cloud: Cloud, owner: string) {
  const { http, events } = await cloud.clientOf(owner);
  const client = events({ from: { epoch: '', seq: 0 } });
  return { http, client, heard: client[Symbol.asyncIterator]() };
}

describe('a gateway and a bus that are hostile', () => {
  test(`[RT1 RT2 RT8] lose no client an event, and give none twice or out of order (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    let minute = 0;
    const cloud = await newCloud(dynamo, { random, nowMs: () => Date.now() + (minute % 4) * 60_000 });
    cloud.withRepair();
    const listeners = [
      await listen(cloud, 'alice'),
      await listen(cloud, 'alice'),
      await listen(cloud, 'bob'),
    ];
    cloud.aws.mischief = {
      full: 0.05,
      twice: 0.2,
      late: 0.4,
      delayMs: 30,
      silentEnd: 0.5,
      refusedEntry: 0.1,
      failingTarget: 0.2,
    };
    const [alice, , bob] = listeners;
    for (let n = 0; n < 40; n++) {
      const { http } = random() < 0.7 ? alice! : bob!;
      await http.nodes.create({ content: `note ${n}` });
      if (random() < 0.1) await cloud.aws.cut();
      if (random() < 0.5) await cloud.stream();
    }
    // One more cut, of which nobody is told: what is posted then meets connections that are gone, as there are some.
    const { mischief } = cloud.aws;
    const isLive = async (): Promise<boolean> => {
      minute++;
      await cloud.beat(); // a replay that was left off goes on
      const ofAlice = await cloud.parts.connections.ofOwner(ownerId('alice'));
      return ofAlice.some(({ phase }) => phase.kind === 'live');
    };
    await vi.waitFor(async () => expect(await isLive()).toBe(true), WITHIN);
    cloud.aws.mischief = { ...mischief, silentEnd: 1, full: 0 };
    await cloud.aws.cut();
    await alice!.http.nodes.create({ content: 'the last' });
    cloud.aws.mischief = mischief;
    const heads = new Map<string, number>();
    for (const owner of ['alice', 'bob'])
      heads.set(owner, (await cloud.parts.store.head(ownerId(owner))).seq);
    // A frame that the gateway refused for good is found missing by the next one, or by the ping.
    const over = new AbortController();
    const beating = (async () => {
      for (; !over.signal.aborted; minute++) await cloud.beat();
    })();
    const lasts = ['alice', 'alice', 'bob'].map((owner) => heads.get(owner) ?? 0);
    const given = await Promise.all(listeners.map(({ heard }, at) => takeUpTo(heard, lasts[at] ?? 0)));
    over.abort();
    await beating;
    for (const [at, events] of given.entries())
      expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: lasts[at] ?? 0 }, (_, n) => n + 1));
    for (const { client } of listeners) client.stop();
    expect([...cloud.aws.posts.keys()]).toEqual(expect.arrayContaining([200, 410]));
  });

  test('[RT6] a connection for which nothing is taken for 30 seconds is sent away, and comes back to all that it missed', async () => {
    let nowMs = Date.now();
    const cloud = await newCloud(dynamo, { nowMs: () => nowMs });
    const { http, client, heard } = await listen(cloud, 'alice');
    await http.nodes.create({ content: 'one' });
    await takeUpTo(heard, 1);
    const ofAlice = () => cloud.parts.connections.ofOwner(ownerId('alice'));
    const [slow] = await ofAlice();
    cloud.aws.mischief = { ...cloud.aws.mischief, full: 1 };
    // The answer to a request waits no longer than two seconds for what is posted after it.
    await http.nodes.create({ content: 'two' });
    await vi.waitFor(async () => expect((await ofAlice())[0]?.laggingSinceMs).toBe(nowMs), WITHIN);
    nowMs += 31_000;
    await http.nodes.create({ content: 'three' });
    await vi.waitFor(
      async () => expect((await ofAlice()).map(({ id }) => id)).not.toContain(slow?.id),
      WITHIN,
    );
    cloud.aws.mischief = { ...cloud.aws.mischief, full: 0 };
    expect((await takeUpTo(heard, 3)).map(({ seq }) => seq)).toEqual([2, 3]);
    client.stop();
  });

  test('what the committing function could not post is posted by the repair that the bus wakes', async () => {
    const cloud = await newCloud(dynamo);
    cloud.withRepair();
    const { client, heard } = await listen(cloud, 'alice');
    const { http } = await cloud.clientOf('alice');
    await http.nodes.create({ content: 'one' });
    await takeUpTo(heard, 1);
    // A process that dies between its commit and its posts.
    await cloud.parts.store.write(ownerId('alice'), async (tx) => {
      const [node] = await Array.fromAsync(tx.nodes.all());
      tx.nodes.apply(updateNode(node!, { content: 'changed' }, tx.now));
    });
    await cloud.stream();
    expect((await takeUpTo(heard, 2)).map(({ seq, type }) => [seq, type])).toEqual([[2, 'node.updated']]);
    client.stop();
  });
});

/** A gateway that answers as it is told to; without a word, never. */
async function gatewayOf(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/test`;
}

test('a gateway that does not answer is given up as one that takes no more: the log keeps what was to be sent', async () => {
  const gateway = managementGateway(await gatewayOf(() => {}), 20);
  expect(await gateway.post('c', Buffer.from('{}'))).toBe('full');
});

test('a gateway that is busy is asked again to end a connection, which else would stay open and hear nothing', async () => {
  const asked: (string | undefined)[] = [];
  const url = await gatewayOf(({ method }, response) => {
    response.statusCode = asked.push(method) < 3 ? 429 : 204;
    response.end();
  });
  await managementGateway(url).close('c');
  expect(asked).toEqual(['DELETE', 'DELETE', 'DELETE']);
});
