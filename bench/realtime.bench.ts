#!/usr/bin/env node
// node bench/realtime.bench.ts [--parts load,storm,stall,cycles] [--kinds brain2,ws,socket.io]
//   [--sockets N] [--rooms N] [--events N] [--perSecond N] [--missed N] [--stallSeconds N] [--cycles N]
import { parseArgs } from 'node:util';
import { goal, ms, percentile, table } from './figures.ts';
import { machine } from './machine.ts';
import { temporaryFolder } from './processes.ts';
import { talkTo, type Host, type Readers } from './realtime-processes.ts';

const PARTS = ['load', 'storm', 'stall', 'cycles'] as const;
const KINDS = ['brain2', 'ws', 'socket.io'] as const;
type Kind = (typeof KINDS)[number];

const text = (standard: string) => ({ type: 'string', default: standard }) as const;
const { values } = parseArgs({
  options: {
    parts: text(PARTS.join(',')),
    kinds: text(KINDS.join(',')),
    sockets: text('1000'),
    rooms: text('10'),
    events: text('1000'),
    perSecond: text('100'),
    missed: text('50'),
    stallSeconds: text('60'),
    cycles: text('10000'),
  },
});
const parts = PARTS.filter((part) => values.parts.split(',').includes(part));
const kinds = KINDS.filter((kind) => values.kinds.split(',').includes(kind));
const [sockets, rooms, events] = [Number(values.sockets), Number(values.rooms), Number(values.events)];
const [perSecond, missed] = [Number(values.perSecond), Number(values.missed)];
const [stallSeconds, cycles] = [Number(values.stallSeconds), Number(values.cycles)];
const allRooms = Array.from({ length: rooms }, (_, number) => `room${number}`);
const oneRoom = ['room0'];

const hostOf = (kind: Kind, folder = temporaryFolder(), port = 0): Promise<Host> =>
  talkTo('./realtime-host.ts', [kind, folder, String(port)]);
const readersOf = (kind: Kind, host: Host, of = { sockets, rooms }): Promise<Readers> =>
  talkTo('./realtime-clients.ts', [kind, host.first.url, String(of.sockets), String(of.rooms)]);

const cpuMs = async (host: Host) => (await host.ask<{ cpuMs: number }>({ do: 'cpu' })).cpuMs;
const memoryOf = (host: Host) => host.ask<{ rss: number; heap: number; queued: number }>({ do: 'memory' });
/** What each socket has added since, of everything and of the heap alone. */
const addedTo = async (host: Host, before: { readonly rss: number; readonly heap: number }) => {
  const { rss, heap } = await memoryOf(host);
  const each = (bytes: number) => bytes / 1_024 / sockets;
  return { rssKb: each(rss - before.rss), heapKb: each(heap - before.heap) };
};

interface Got {
  readonly events: number;
  readonly latencies: readonly number[];
  readonly doubled: number;
  readonly disordered: number;
}

/** Events to one room, and what its readers got of them. */
async function publish(
  host: Host,
  readers: Readers,
  of: { readonly count: number; readonly inRoom: number; readonly bytes?: number },
): Promise<Got> {
  const { count, inRoom, bytes = 0 } = of;
  await readers.ask({ do: 'reset' });
  await host.ask({ do: 'publish', rooms: oneRoom, perSecond, count, bytes });
  return readers.ask<Got>({ do: 'wait', events: count * inRoom, forMs: 5_000 });
}

/** Every room has had an event, and every path is warm. */
async function warm(kind: Kind, host: Host): Promise<void> {
  await host.ask({ do: 'publish', rooms: allRooms, perSecond: 100, count: 20 });
  const first = await readersOf(kind, host, { sockets: 100, rooms: 1 });
  await first.ask({ do: 'connect' });
  await host.ask({ do: 'publish', rooms: oneRoom, perSecond, count: 50 });
  first.end();
}

async function load(kind: Kind) {
  const host = await hostOf(kind);
  const readers = await readersOf(kind, host);
  await warm(kind, host);
  const before = await memoryOf(host);
  await readers.ask({ do: 'connect' });
  const idle = await addedTo(host, before);
  const inRoom = sockets / rooms;
  await publish(host, readers, { count: Math.min(events, 200), inRoom });
  const start = await cpuMs(host);
  const { latencies } = await publish(host, readers, { count: events, inRoom });
  const middle = await cpuMs(host);
  // The same commits with nobody to hear of them: what is above that is the price of telling.
  await host.ask({ do: 'publish', rooms: ['nobody'], perSecond, count: events });
  const alone = (await cpuMs(host)) - middle;
  const loaded = await addedTo(host, before);
  readers.end();
  host.end();
  const cpuUs = ((middle - start - alone) * 1_000) / latencies.length;
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), cpuUs, idle, loaded };
}

/** All are cut, miss events, and come back. With `kill` it is the server that dies and is started again. */
async function storm(kind: Kind, kill: boolean) {
  const folder = temporaryFolder();
  let host = await hostOf(kind, folder);
  const readers = await readersOf(kind, host);
  await warm(kind, host);
  await readers.ask({ do: 'connect' });
  await readers.ask({ do: 'reset' });
  await host.ask({ do: 'publish', rooms: allRooms, perSecond: 100, count: 5 });
  await readers.ask({ do: 'wait', events: 5 * sockets, forMs: 5_000 });
  if (kill) {
    await host.kill();
    host = await hostOf(kind, folder, Number(new URL(host.first.url).port));
  } else await host.ask({ do: 'cut' });
  await host.ask({ do: 'publish', rooms: allRooms, perSecond: 1_000, count: missed });
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
async function stall(kind: Kind) {
  const [inRoom, stalled, bytes] = [100, 10, 4_000];
  const host = await hostOf(kind);
  const readers = await readersOf(kind, host, { sockets: inRoom, rooms: 1 });
  await readers.ask({ do: 'connect' });
  await publish(host, readers, { count: perSecond * 3, inRoom, bytes });
  const count = perSecond * stallSeconds;
  const alone = await publish(host, readers, { count: Math.min(count, perSecond * 10), inRoom, bytes });
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

async function cycle(kind: Kind) {
  const host = await hostOf(kind);
  const readers = await readersOf(kind, host);
  await readers.ask({ do: 'cycle', count: Math.min(1_000, cycles) });
  const before = await memoryOf(host);
  await readers.ask({ do: 'cycle', count: cycles });
  const after = await memoryOf(host);
  readers.end();
  host.end();
  return { heapKb: (after.heap - before.heap) / 1_024, rssKb: (after.rss - before.rss) / 1_024 };
}

async function eachKind<T>(run: (kind: Kind) => Promise<T>, of: readonly Kind[] = kinds) {
  const found: [Kind, T][] = [];
  for (const kind of of) found.push([kind, await run(kind)]);
  return found;
}

const ours = <T>(found: readonly [Kind, T][]): T | undefined =>
  found.find(([kind]) => kind === 'brain2')?.[1];
const print = (...lines: readonly string[]): void =>
  console.log(`${lines.filter((line) => line).join('\n\n')}\n`);
const goals = (...told: readonly string[]): string => `Goals: ${told.join(' · ')}`;

print(`## Real time`, machine());

if (parts.includes('load')) {
  const found = await eachKind(load);
  const floor = found.find(([kind]) => kind === 'ws')?.[1].cpuUs ?? NaN;
  const own = ours(found);
  print(
    `${sockets} sockets in ${rooms} rooms; ${perSecond} events a second to one room, of ${sockets / rooms}. Brain2 ` +
      'commits each to SQLite, synced, and reads it from the log; the peers only send. Latency from before the commit ' +
      'until the reader has the event. CPU is that of the server, less what the same commits take when nobody listens.',
    table(
      [
        '',
        'p50, ms',
        'p99, ms',
        'CPU a delivery, µs',
        '× ws',
        'idle, KB (of it heap)',
        'after load, KB (of it heap)',
      ],
      found.map(([kind, { p50, p99, cpuUs, idle, loaded }]) => [
        kind,
        ms(p50),
        ms(p99),
        cpuUs.toFixed(1),
        (cpuUs / floor).toFixed(2),
        `${idle.rssKb.toFixed(1)} (${idle.heapKb.toFixed(1)})`,
        `${loaded.rssKb.toFixed(1)} (${loaded.heapKb.toFixed(1)})`,
      ]),
    ),
    own
      ? goals(
          `p99 ${goal(own.p99, 10, 'ms')}, the promise ${goal(own.p99, 50, 'ms')}`,
          `CPU ${goal(own.cpuUs / floor, 1.25, '× ws')}`,
          `idle ${goal(own.idle.rssKb, 12, 'KB')}`,
          `after load ${goal(own.loaded.rssKb, 20, 'KB')}`,
        )
      : '',
  );
}

if (parts.includes('storm')) {
  const able = kinds.filter((kind) => kind !== 'ws');
  const cut = await eachKind((kind) => storm(kind, false), able);
  const killed = await eachKind((kind) => storm(kind, true), able);
  const row = (how: string) => (one: (typeof cut)[number]) => {
    const [kind, { cpuMs: cpu, wallMs, lost, wrong }] = one;
    return [`${kind}, ${how}`, ms(cpu), ms(wallMs), lost, wrong];
  };
  print(
    `${sockets} clients are cut, miss ${missed} events each, and come back; or the server is killed with -9 and started ` +
      'again, and they miss as many. ws has nothing for that; socket.io keeps what was missed in memory (connection ' +
      'state recovery).',
    table(
      ['', 'server CPU, ms', 'wall, ms', 'lost', 'doubled or disordered'],
      [...cut.map(row('cut')), ...killed.map(row('kill -9'))],
    ),
    ours(cut) && ours(killed)
      ? goals(
          `CPU ${goal(ours(cut)!.cpuMs, 1_500, 'ms')}, after kill -9 ${goal(ours(killed)!.cpuMs, 1_500, 'ms')}`,
          `lost ${goal(ours(cut)!.lost + ours(killed)!.lost, 1, 'events')}`,
          `wrong ${goal(ours(cut)!.wrong + ours(killed)!.wrong, 1, 'events')}`,
        )
      : '',
  );
}

if (parts.includes('stall')) {
  const found = await eachKind(stall);
  const own = ours(found);
  print(
    `10 of 100 readers stop reading for ${stallSeconds} s, in which ${perSecond} events of 4 KB a second come.`,
    table(
      [
        '',
        'p99 before, ms',
        'p99 of the others, ms',
        'heap and buffers grew by, MB',
        'RSS by, MB',
        'lost once all read',
        'wrong',
      ],
      found.map(([kind, { alone, beside, grownMb, rssMb, lost, wrong }]) => [
        kind,
        ms(alone),
        ms(beside),
        grownMb.toFixed(1),
        rssMb.toFixed(1),
        lost,
        wrong,
      ]),
    ),
    own
      ? goals(
          `grown ${goal(own.grownMb, 10, 'MB')}`,
          `the others' p99 ${goal(own.beside / own.alone, 1.2, '× before')}`,
          `lost ${goal(own.lost, 1, 'events')}`,
        )
      : '',
  );
}

if (parts.includes('cycles')) {
  const found = await eachKind(cycle);
  const own = ours(found);
  print(
    `${cycles} connections made, greeted and closed, 20 at a time, after 1,000 that do not count.`,
    table(
      ['', 'heap grew by, KB', 'RSS grew by, KB'],
      found.map(([kind, { heapKb, rssKb: rss }]) => [kind, heapKb.toFixed(0), rss.toFixed(0)]),
    ),
    own ? goals(`heap ${goal(own.heapKb, 1_024, 'KB')}, a tenth of a KB a cycle`) : '',
  );
}
