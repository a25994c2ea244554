import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Changes, Graph } from '../../src/api/v2.ts';
import { connectBrain } from '../../src/client/client.ts';
import type { RealtimeClient } from '../../src/client/realtime-client.ts';
import type { RealtimeItem } from '../../src/client/realtime-options.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { KILLS, SEED, seeded } from '../faults/seed.ts';
import { listening } from '../faults/server-process.ts';
import { serverFrame } from './frames.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-realtime-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A port that is free now, so that the server comes back where its clients look for it. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Watcher {
  readonly client: RealtimeClient<Graph>;
  readonly items: RealtimeItem<Graph>[];
}

/** A client on a real socket, every frame of which is held to the document. */
function watch(url: string, kind: 'all' | 'edges'): Watcher {
  const filter = kind === 'edges' ? { types: ['edge.*'] } : {};
  const clock = { ...systemClock, random: () => 0.02 }; // it does not wait long before it tries again
  const client = connectBrain({ url }).events({ from: { epoch: '', seq: 0 }, filter, clock });
  const items: RealtimeItem<Graph>[] = [];
  client.on({ item: (item) => items.push(item), frame: (frame) => serverFrame(JSON.stringify(frame)) });
  return { client: client.start(), items };
}

/** Writes until the server is gone, which it is after so many answers. */
async function writeUntilKilled(url: string, writes: number, kill: () => Promise<void>): Promise<void> {
  const { http } = connectBrain({ url });
  let dying: Promise<void> | undefined;
  const write = async (writer: number): Promise<void> => {
    for (let count = 0; ; count++) {
      try {
        await http.nodes.create({ content: `the circadian clock of writer ${writer}, thought ${count}` });
      } catch (error) {
        if (!dying) throw error;
        return;
      }
      if (writer === 0 && count === writes) dying = kill();
    }
  };
  await Promise.all([0, 1, 2].map(write));
  await dying;
}

/** The whole log, as the server has it now. */
async function logOf(url: string): Promise<Changes['items']> {
  const { http } = connectBrain({ url });
  const log: Changes['items'] = [];
  for (let hasMore = true; hasMore;) {
    const page = await http.changes({ seq: log.at(-1)?.seq ?? 0 }, 1_000);
    log.push(...page.items);
    ({ hasMore } = page);
  }
  return log;
}

/** Resolves when the client stands at this number. */
function reached(client: RealtimeClient<Graph>, seq: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if ((client.position?.seq ?? 0) >= seq) resolve();
    };
    client.on({ frame: () => queueMicrotask(look) });
    look();
  });
}

const ENDS = ['killed with -9', 'stopped'] as const;

test.each(ENDS)(
  `[RT2 RT3] %s in a stream of writes and started again, ${KILLS} times, every client has exactly the log`,
  async (end) => {
    const random = seeded(SEED);
    const dataDir = join(root, end);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const watchers: Watcher[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const server = await listening(dataDir, port);
      watchers.push(watch(url, 'all'), watch(url, 'edges'));
      await writeUntilKilled(url, 5 + random.below(60), async () => {
        if (end === 'stopped') await server.stop();
        else await server.kill(random.below(random.pick([1, 50, 500])));
      });
    }
    const server = await listening(dataDir, port);
    const log = await logOf(url);
    // Under a filter the end is told by a ping, which nobody waits for here: a last edge that both hear.
    const { http } = connectBrain({ url });
    const [a, b] = [
      await http.nodes.create({ content: 'zebra one' }),
      await http.nodes.create({ content: 'quagga two' }),
    ];
    await http.edges.create({ sourceId: a.id, targetId: b.id });
    const whole = await logOf(url);
    expect(whole.length).toBeGreaterThan(log.length);
    for (const [index, { client, items }] of watchers.entries()) {
      const wanted = whole.filter(({ type }) => index % 2 === 0 || type.startsWith('edge.'));
      await reached(client, wanted.at(-1)?.seq ?? 0);
      const given = items.map((item) => (item.kind === 'event' ? item.event : undefined));
      expect(given.map((event) => event?.seq)).toEqual(wanted.map((change) => change.seq));
      expect(given.map((event) => event?.data)).toEqual(wanted.map((change) => change.data));
      client.stop();
    }
    await server.stop();
  },
);
