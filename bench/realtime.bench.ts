#!/usr/bin/env node
// node bench/realtime.bench.ts [--parts load,storm,stall,cycles] [--kinds brain2,ws,socket.io]
//   [--sockets N] [--rooms N] [--events N] [--perSecond N] [--missed N] [--stallSeconds N] [--cycles N]
import { parseArgs } from 'node:util';
import { goal, ms, table } from './figures.ts';
import { machine } from './machine.ts';
import { cycle, load, stall, storm, type Kind, type Settings } from './realtime-parts.ts';
import { killAll } from './realtime-processes.ts';

const PARTS = ['load', 'storm', 'stall', 'cycles'] as const;
const KINDS = ['brain2', 'ws', 'socket.io'] as const;

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
const settings: Settings = {
  sockets: Number(values.sockets),
  rooms: Number(values.rooms),
  events: Number(values.events),
  perSecond: Number(values.perSecond),
  missed: Number(values.missed),
  stallSeconds: Number(values.stallSeconds),
  cycles: Number(values.cycles),
};
const { sockets, rooms, perSecond, missed, stallSeconds, cycles } = settings;

/** One after the other. One that does not come to its end is told, and does not keep the others from theirs. */
async function eachKind<T>(run: (kind: Kind) => Promise<T>, of: readonly Kind[] = kinds) {
  const found: [Kind, T][] = [];
  for (const kind of of) {
    try {
      found.push([kind, await run(kind)]);
    } catch (error) {
      print(`${kind} could not be measured: ${String(error)}`);
      process.exitCode = 1;
    } finally {
      await killAll();
    }
  }
  return found;
}

const ours = <T>(found: readonly [Kind, T][]): T | undefined =>
  found.find(([kind]) => kind === 'brain2')?.[1];
const print = (...lines: readonly string[]): void =>
  console.log(`${lines.filter((line) => line).join('\n\n')}\n`);
const goals = (...told: readonly string[]): string => `Goals: ${told.join(' · ')}`;

const startedAt = performance.now();
print(`## Real time`, machine());

if (parts.includes('load')) {
  const found = await eachKind((kind) => load(kind, settings));
  const floor = found.find(([kind]) => kind === 'ws')?.[1].cpuUs;
  const own = ours(found);
  print(
    `${sockets} sockets in ${rooms} rooms; ${perSecond} events a second to one room, of ${sockets / rooms}. Brain2 ` +
      'commits each to SQLite, synced, and reads it from the log; the peers only send. Latency from before the commit ' +
      'until the reader has the event. CPU is that of the server, less what the same commits take when nobody listens. ' +
      'Memory is what RSS grew by for each socket; after load, less what the same events let a server grow with one room alone.',
    table(
      [
        '',
        'p50, ms',
        'p99, ms',
        'CPU a delivery, µs',
        '× ws',
        'idle, KB (of it heap)',
        'after load, KB (of it heap)',
        'RSS of the server without them, with them, after load, MB',
      ],
      found.map(([kind, { p50, p99, cpuUs, ...memory }]) => [
        kind,
        ms(p50),
        ms(p99),
        cpuUs.toFixed(1),
        floor === undefined ? '' : (cpuUs / floor).toFixed(2),
        `${memory.idle.toFixed(1)} (${memory.idleHeap.toFixed(1)})`,
        `${memory.loaded.toFixed(1)} (${memory.loadedHeap.toFixed(1)})`,
        memory.rssMb.map((mb) => mb.toFixed(0)).join(', '),
      ]),
    ),
    'And a busy log, of as many events as come through, up to 1,000 a second:',
    table(
      ['', 'events a second', 'frames a second to each reader', 'p99, ms'],
      found.map(([kind, { busy }]) => [
        kind,
        busy.perSecond.toFixed(0),
        busy.framesPerSecond.toFixed(0),
        ms(busy.p99),
      ]),
    ),
    own
      ? goals(
          `p99 ${goal(own.p99, 10, 'ms')}, the promise ${goal(own.p99, 50, 'ms')}`,
          ...(floor === undefined ? [] : [`CPU ${goal(own.cpuUs / floor, 1.25, '× ws')}`]),
          `idle ${goal(own.idle, 12, 'KB')}`,
          `after load ${goal(own.loaded, 20, 'KB')}`,
        )
      : '',
  );
}

if (parts.includes('storm')) {
  const able = kinds.filter((kind) => kind !== 'ws');
  const cut = await eachKind((kind) => storm(kind, false, settings), able);
  const killed = await eachKind((kind) => storm(kind, true, settings), able);
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
  const found = await eachKind((kind) => stall(kind, settings));
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
  const found = await eachKind((kind) => cycle(kind, settings));
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

print(`All this took ${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes.`);
