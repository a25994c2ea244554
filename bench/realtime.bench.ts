#!/usr/bin/env node
// node bench/realtime.bench.ts [--sockets N] [--rooms N] [--events N] [--perSecond N] [--missed N]
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { goal, ms, numbers, percentile, table } from './figures.ts';
import { machine } from './machine.ts';
import { temporaryFolder } from './processes.ts';
import type { Command as ClientCommand } from './realtime-clients.ts';
import type { Command as HostCommand } from './realtime-host.ts';

const KINDS = ['brain2', 'ws', 'socket.io'] as const;
const { sockets, rooms, events, perSecond, missed } = numbers({
  sockets: 1_000,
  rooms: 10,
  events: 1_000,
  perSecond: 100,
  missed: 50,
});
const folder = temporaryFolder();
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A program that answers each line with a line. */
async function talkTo(script: string, args: readonly string[]) {
  const child = spawn(process.execPath, ['--expose-gc', at(script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T> => JSON.parse((await lines.next()).value as string) as T;
  return {
    first: await next<{ readonly url: string }>(),
    ask: async <T>(command: HostCommand | ClientCommand): Promise<T> => {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return next<T>();
    },
    end: () => child.stdin.end(),
  };
}

interface Got {
  readonly events: number;
  readonly latencies: readonly number[];
  readonly doubled: number;
  readonly disordered: number;
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly cpuUs: number;
  readonly idleKb: number;
  readonly loadedKb: number;
  readonly storm:
    | { readonly cpuMs: number; readonly wallMs: number; readonly lost: number; readonly wrong: number }
    | undefined;
}

async function measure(kind: (typeof KINDS)[number]): Promise<Figures> {
  const host = await talkTo('./realtime-host.ts', [kind, folder]);
  const clients = await talkTo('./realtime-clients.ts', [
    kind,
    host.first.url,
    String(sockets),
    String(rooms),
  ]);
  const memory = async () => (await host.ask<{ rss: number }>({ do: 'memory' })).rss / 1_024;
  const cpu = async () => (await host.ask<{ cpuMs: number }>({ do: 'cpu' })).cpuMs;
  const room = ['room0'];
  const all = Array.from({ length: rooms }, (_, number) => `room${number}`);
  // Every room has had an event before anything is measured, and every path is warm.
  await host.ask({ do: 'publish', rooms: all, perSecond: 100, count: 20 });
  const first = await talkTo('./realtime-clients.ts', [kind, host.first.url, '100', '1']);
  await first.ask({ do: 'connect' });
  await host.ask({ do: 'publish', rooms: room, perSecond, count: 50 });
  first.end();
  const before = await memory();
  await clients.ask({ do: 'connect' });
  const idleKb = ((await memory()) - before) / sockets;

  const inRoom = sockets / rooms;
  const publish = async (count: number): Promise<Got> => {
    await clients.ask({ do: 'reset' });
    await host.ask({ do: 'publish', rooms: room, perSecond, count });
    return clients.ask<Got>({ do: 'wait', events: count * inRoom, forMs: 5_000 });
  };
  await publish(Math.min(events, 200));
  const start = await cpu();
  const { latencies } = await publish(events);
  const middle = await cpu();
  // The same commits with nobody to hear of them: what is above that is the price of telling.
  await host.ask({ do: 'publish', rooms: ['nobody'], perSecond, count: events });
  const alone = (await cpu()) - middle;
  const cpuUs = ((middle - start - alone) * 1_000) / latencies.length;
  const loadedKb = ((await memory()) - before) / sockets;

  let storm: Figures['storm'];
  if (kind !== 'ws') {
    await host.ask({ do: 'cut' });
    await host.ask({ do: 'publish', rooms: all, perSecond: 1_000, count: missed });
    await clients.ask({ do: 'reset' });
    const [cpuBefore, wall] = [await cpu(), performance.now()];
    await clients.ask({ do: 'connect' });
    const got = await clients.ask<Got>({ do: 'wait', events: missed * sockets, forMs: 20_000 });
    const wallMs = performance.now() - wall;
    const cpuMs = (await cpu()) - cpuBefore;
    storm = { cpuMs, wallMs, lost: missed * sockets - got.events, wrong: got.doubled + got.disordered };
  }
  clients.end();
  host.end();
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpuUs,
    idleKb,
    loadedKb,
    storm,
  };
}

console.log(`## Real time\n\n${machine()}\n`);
console.log(
  `${sockets} sockets in ${rooms} rooms; ${perSecond} events a second to one room, of ${sockets / rooms}. Brain2 commits each to ` +
    'SQLite, synced, and reads it from the log; the peers only send. Latency from before the commit until the reader ' +
    `has the event. Then all are cut, miss ${missed} events each, and come back; ws has nothing for that, and socket.io ` +
    'keeps what was missed in memory (connection state recovery), which a restart loses. CPU is that of the server, less ' +
    'what the same commits take when nobody listens.\n',
);
const found = new Map<string, Figures>();
for (const kind of KINDS) found.set(kind, await measure(kind));
const floor = found.get('ws')!.cpuUs;
console.log(
  table(
    [
      '',
      'p50, ms',
      'p99, ms',
      'CPU a delivery, µs',
      '× ws',
      'idle, KB',
      'after load, KB',
      'storm: CPU, ms',
      'wall, ms',
      'lost',
      'doubled or disordered',
    ],
    [...found].map(([kind, { p50, p99, cpuUs, idleKb, loadedKb, storm }]) => [
      kind,
      ms(p50),
      ms(p99),
      cpuUs.toFixed(1),
      (cpuUs / floor).toFixed(2),
      idleKb.toFixed(1),
      loadedKb.toFixed(1),
      ...(storm ? [ms(storm.cpuMs), ms(storm.wallMs), storm.lost, storm.wrong] : ['–', '–', '–', '–']),
    ]),
  ),
);
const ours = found.get('brain2')!;
console.log(
  `\nGoals: p99 ${goal(ours.p99, 10, 'ms')} · CPU ${goal(ours.cpuUs / floor, 1.25, '× ws')} · ` +
    `idle ${goal(ours.idleKb, 12, 'KB')} · after load ${goal(ours.loadedKb, 20, 'KB')} · ` +
    `storm ${goal(ours.storm?.cpuMs ?? NaN, 1_500, 'ms')}`,
);
