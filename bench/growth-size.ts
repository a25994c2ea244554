// Builds a graph of so many notes in this process, or asks one everything, and writes what each took to stdout, as JSON.
// node bench/growth-size.ts DATA NOTES build|ask
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, type Connection } from '../src/server/connect.ts';
import { readSettings } from '../src/server/settings.ts';
import { percentile } from './figures.ts';
import { query, seeded, syntheticVault } from './make-vault.ts';

/** What one of the two found. */
export interface Part {
  readonly edges: number;
  /** Milliseconds; a percentile where the name says so. */
  readonly ms: Readonly<Record<string, number>>;
  /** Resident, with the graph open and after a garbage collection. */
  readonly rssMb: number;
}

const ASKED = 200;

const [dataDir = '', count = '1000', part] = process.argv.slice(2);
const size = Number(count);
const vault = syntheticVault(size + ASKED);
const random = seeded(size);
const ms: Record<string, number> = {};

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  ms[name] = performance.now() - started;
  return result;
}

async function each(name: string, work: (at: number) => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let at = 0; at < ASKED; at++) {
    const started = performance.now();
    await work(at);
    times.push(performance.now() - started);
  }
  ms[`${name}, p50`] = percentile(times, 0.5);
  ms[`${name}, p99`] = percentile(times, 0.99);
}

const open = (): Promise<Connection> => connect(readSettings({}, { dataDir }));
if (part === 'build') await build();
else await ask();

async function build(): Promise<void> {
  const { client, close } = await open();
  const notes = vault.notes.slice(0, size).map(({ title, text, tags }, at) => ({
    key: `note ${at}`,
    title,
    content: text,
    tags: [...tags],
    aliases: [],
    links: [],
  }));
  await timed('import', async () => {
    for await (const event of client.import(notes, { collection: 'growth' })) {
      if (event.type === 'item' && event.status === 'failed') throw new Error('a note was not stored');
    }
  });
  await close();
  tell({ edges: 0, ms, rssMb: 0 });
}

async function ask(): Promise<void> {
  const { client, close } = await timed('restart', async () => {
    const connection = await open();
    await connection.client.search('ready');
    return connection;
  });
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const rssMb = process.memoryUsage.rss() / 2 ** 20;
  const { items } = await client.nodes.list({ limit: 200 });
  const anyId = (): string => items[Math.floor(random() * items.length)]?.id ?? '';
  await each('create', (at) => {
    const { title, text, tags } = vault.notes[size + at]!;
    return client.nodes.create({ title, content: text, tags: [...tags] });
  });
  await each('read', () => client.nodes.get(anyId()));
  await each('list', () => client.nodes.list({ limit: 50 }));
  await each('search', () => client.search(query('two words', vault, random)));
  await each('neighbors', () => client.nodes.neighbors(anyId(), { depth: 2 }));
  const { edges } = await timed('whole graph', () => client.graph());
  await close();
  tell({ edges: edges.length, ms, rssMb });
}

function tell(found: Part): void {
  console.log(JSON.stringify(found));
}
