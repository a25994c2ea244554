import { percentile } from './figures.ts';
import { temporaryFolder } from './processes.ts';
import { talkTo, type Host, type Readers } from './realtime-processes.ts';

export type Kind = 'brain2' | 'ws' | 'socket.io';

export interface Settings {
  readonly sockets: number;
  readonly rooms: number;
  readonly events: number;
  readonly perSecond: number;
  readonly missed: number;
  readonly stallSeconds: number;
  readonly cycles: number;
}

const oneRoom = ['room0'];
const roomsOf = (rooms: number) => Array.from({ length: rooms }, (_, number) => `room${number}`);
/** How many times it is measured what the readers take and what the same commits take without them. */
const ROUNDS = 2;
/** What is only there to let the server grow need not take its time. */
const CONTROL_PER_SECOND = 400;
/** Events a second, and for how many seconds, of a log that is busy. */
const BUSY = { perSecond: 1_000, seconds: 2 };

const hostOf = (kind: Kind, folder = temporaryFolder(), port = 0): Promise<Host> =>
  talkTo('./realtime-host.ts', [kind, folder, String(port)]);
const readersOf = (
  kind: Kind,
  host: Host,
  of: { readonly sockets: number; readonly rooms: number },
): Promise<Readers> =>
  talkTo('./realtime-clients.ts', [kind, host.first.url, String(of.sockets), String(of.rooms)]);

const cpuMs = async (host: Host) => (await host.ask<{ cpuMs: number }>({ do: 'cpu' })).cpuMs;
const memoryOf = (host: Host) => host.ask<{ rss: number; heap: number; queued: number }>({ do: 'memory' });

interface Got {
  readonly events: number;
  readonly frames: number;
  readonly latencies: readonly number[];
  readonly doubled: number;
  readonly disordered: number;
}

/** Events to one room, and what its readers got of them. */
async function publish(
  host: Host,
  readers: Readers,
  of: {
    readonly count: number;
    readonly inRoom: number;
    readonly perSecond: number;
    readonly bytes?: number;
  },
): Promise<Got> {
  const { count, inRoom, perSecond, bytes = 0 } = of;
  await readers.ask({ do: 'reset' });
  await host.ask({ do: 'publish', rooms: oneRoom, perSecond, count, bytes });
  return readers.ask<Got>({ do: 'wait', events: count * inRoom, forMs: 5_000 });
}

/** Every room has had an event, and every path is warm. */
async function warm(kind: Kind, host: Host, { rooms }: Settings): Promise<void> {
  await host.ask({ do: 'publish', rooms: roomsOf(rooms), perSecond: 100, count: 20 });
  const first = await readersOf(kind, host, { sockets: 100, rooms: 1 });
  await first.ask({ do: 'connect' });
  await host.ask({ do: 'publish', rooms: oneRoom, perSecond: 500, count: 1_500 });
  first.end();
}

/** The events that are measured, in rounds: with readers, and the same commits with nobody to hear of them. */
async function under(host: Host, readers: Readers, settings: Settings) {
  const { sockets, rooms, events, perSecond } = settings;
  const inRoom = sockets / rooms;
  await publish(host, readers, { count: Math.min(events, 200), inRoom, perSecond });
  const latencies: number[] = [];
  let cpu = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = await cpuMs(host);
    latencies.push(...(await publish(host, readers, { count: events, inRoom, perSecond })).latencies);
    const middle = await cpuMs(host);
    await host.ask({ do: 'publish', rooms: ['nobody'], perSecond, count: events });
    cpu += middle - start - ((await cpuMs(host)) - middle); // what is above the second is the price of telling
  }
  return { latencies, cpu };
}

/**
 * By how many bytes the same events let a server grow that has the sockets of one room alone: V8's young generation, the
 * caches of SQLite. Divided by a thousand sockets they would seem to be most of what each of them costs.
 */
async function grownAlone(kind: Kind, settings: Settings): Promise<number> {
  const inRoom = settings.sockets / settings.rooms;
  const host = await hostOf(kind);
  const readers = await readersOf(kind, host, { sockets: inRoom, rooms: 1 });
  await warm(kind, host, settings);
  await readers.ask({ do: 'connect' });
  const before = await memoryOf(host);
  await under(host, readers, { ...settings, perSecond: CONTROL_PER_SECOND });
  const { rss } = await memoryOf(host);
  readers.end();
  host.end();
  return rss - before.rss;
}

export async function load(kind: Kind, settings: Settings) {
  const { sockets, rooms } = settings;
  const inRoom = sockets / rooms;
  const grown = await grownAlone(kind, settings);
  const host = await hostOf(kind);
  const readers = await readersOf(kind, host, settings);
  await warm(kind, host, settings);
  const before = await memoryOf(host);
  await readers.ask({ do: 'connect' });
  const idle = await memoryOf(host);
  const { latencies, cpu } = await under(host, readers, settings);
  const loaded = await memoryOf(host);
  const from = performance.now();
  const many = await publish(host, readers, { count: BUSY.perSecond * BUSY.seconds, inRoom, ...BUSY });
  const busySeconds = (performance.now() - from) / 1_000;
  readers.end();
  host.end();
  const eachKb = (bytes: number): number => bytes / 1_024 / sockets;
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpuUs: (cpu * 1_000) / latencies.length,
    rssMb: [before, idle, loaded].map(({ rss }) => rss / 2 ** 20),
    idle: eachKb(idle.rss - before.rss),
    idleHeap: eachKb(idle.heap - before.heap),
    loaded: eachKb(loaded.rss - before.rss - grown),
    loadedHeap: eachKb(loaded.heap - before.heap),
    busy: {
      p99: percentile(many.latencies, 0.99),
      perSecond: many.events / inRoom / busySeconds,
      framesPerSecond: many.frames / inRoom / busySeconds,
    },
  };
}

/** All are cut, miss events, and come back. With `kill` it is the server that dies and is started again. */
export async function storm(kind: Kind, kill: boolean, settings: Settings) {
  const { sockets, rooms, missed } = settings;
  const folder = temporaryFolder();
  let host = await hostOf(kind, folder);
  const readers = await readersOf(kind, host, settings);
  await warm(kind, host, settings);
  await readers.ask({ do: 'connect' });
  await readers.ask({ do: 'reset' });
  await host.ask({ do: 'publish', rooms: roomsOf(rooms), perSecond: 100, count: 5 });
  await readers.ask({ do: 'wait', events: 5 * sockets, forMs: 5_000 });
  if (kill) {
    await host.kill();
    host = await hostOf(kind, folder, Number(new URL(host.first.url).port));
  } else await host.ask({ do: 'cut' });
  await host.ask({ do: 'publish', rooms: roomsOf(rooms), perSecond: 1_000, count: missed });
  await readers.ask({ do: 'reset' });
  const [cpuBefore, wall] = [await cpuMs(host), performance.now()];
  await readers.ask({ do: 'connect' });
  const got = await readers.ask<Got>({ do: 'wait', events: missed * sockets, forMs: 10_000 });
  const wallMs = performance.now() - wall;
  const spent = (await cpuMs(host)) - cpuBefore;
  readers.end();
  host.end();
  return { cpuMs: spent, wallMs, lost: missed * sockets - got.events, wrong: got.doubled + got.disordered };
}

/** Of a hundred readers ten read nothing for a while. */
export async function stall(kind: Kind, { perSecond, stallSeconds }: Settings) {
  const [inRoom, stalled, bytes] = [100, 10, 4_000];
  const host = await hostOf(kind);
  const readers = await readersOf(kind, host, { sockets: inRoom, rooms: 1 });
  await readers.ask({ do: 'connect' });
  await publish(host, readers, { count: perSecond * 3, inRoom, perSecond, bytes });
  const count = perSecond * stallSeconds;
  const alone = await publish(host, readers, {
    count: Math.min(count, perSecond * 10),
    inRoom,
    perSecond,
    bytes,
  });
  const before = await memoryOf(host);
  await readers.ask({ do: 'reset' });
  await readers.ask({ do: 'stall', readers: stalled });
  await host.ask({ do: 'publish', rooms: oneRoom, perSecond, count, bytes });
  const after = await memoryOf(host);
  const others = await readers.ask<Got>({ do: 'wait', events: count * (inRoom - stalled), forMs: 5_000 });
  await readers.ask({ do: 'wake' });
  const all = await readers.ask<Got>({ do: 'wait', events: count * inRoom, forMs: 20_000 });
  readers.end();
  host.end();
  return {
    alone: percentile(alone.latencies, 0.99),
    beside: percentile(others.latencies, 0.99),
    grownMb: (after.queued - before.queued) / 2 ** 20,
    rssMb: (after.rss - before.rss) / 2 ** 20,
    lost: count * inRoom - all.events,
    wrong: all.doubled + all.disordered,
  };
}

export async function cycle(kind: Kind, settings: Settings) {
  const { cycles } = settings;
  const host = await hostOf(kind);
  const readers = await readersOf(kind, host, settings);
  await readers.ask({ do: 'cycle', count: Math.min(1_000, cycles) });
  const before = await memoryOf(host);
  await readers.ask({ do: 'cycle', count: cycles });
  const after = await memoryOf(host);
  readers.end();
  host.end();
  return { heapKb: (after.heap - before.heap) / 1_024, rssKb: (after.rss - before.rss) / 1_024 };
}
