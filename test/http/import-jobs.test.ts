import yazl from 'yazl';
import { describe, expect, it, vi } from 'vitest';
import type { Graph } from '../../src/api/v2.ts';
import type { Job, JobItem } from '../../src/api/v2-jobs.ts';
import { STORE } from '../support/place.ts';
import { dataFolder, newBrain, SLEEP, type Client } from './client.ts';

const NDJSON = { 'content-type': 'application/x-ndjson', prefer: 'respond-async' };
const ZIP = { 'content-type': 'application/zip' };

const lines = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join('\n');

interface ZipFile {
  readonly path: string;
  readonly text?: string | Buffer;
  readonly mode?: number;
}

async function zipped(files: readonly ZipFile[]): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const { path, text = '', mode = 0o100644 } of files) zip.addBuffer(Buffer.from(text), path, { mode });
  zip.end();
  return Buffer.concat(await Array.fromAsync(zip.outputStream as AsyncIterable<Buffer>));
}

/** Starts an import that is a job, and gives the job once it has ended. */
async function imported(
  client: Client,
  body: unknown,
  { headers = {}, query = '' }: { readonly headers?: Record<string, string>; readonly query?: string } = {},
): Promise<Job> {
  const answer = await client.send<Job>('POST', `/imports?collection=vault${query}`, body, headers);
  expect([answer.status, answer.text.slice(0, 500)]).toEqual([202, expect.any(String)]);
  await client.brain.services.jobs.idle();
  return client.get<Job>(answer.headers['location']!.slice('/api/v2'.length));
}

const itemsOf = (client: Client, { id }: Job) => client.all<JobItem>(`/jobs/${id}/items`);
const titlesOf = async (client: Client) =>
  (await client.get<Graph>('/graph')).nodes.map(({ title }) => title).sort();

describe('an import that is a job', () => {
  it('takes JSON, stores and links the notes, and reports on each of them', async () => {
    const client = await newBrain();
    const items = [
      { key: 'a', ...SLEEP.sleep, links: [{ target: 'b', text: 'Bread' }] },
      { key: 'b', ...SLEEP.bread },
      { key: 'c' },
      { key: 'd', ...SLEEP.melatonin },
    ];
    const job = await imported(client, { items });
    expect(job).toMatchObject({
      kind: 'import',
      status: 'done',
      progress: { done: 4, total: 4, failed: 1 },
      input: { collection: 'vault', format: 'ndjson', prune: false },
      result: { created: 3, failed: 1, references: 1, notes: 3 },
      problem: null,
    });
    const report = await itemsOf(client, job);
    expect(report.map(({ index, key, status }) => [index, key, status])).toEqual([
      [0, 'a', 'created'],
      [1, 'b', 'created'],
      [2, 'c', 'failed'],
      [3, 'd', 'created'],
    ]);
    expect(report[2]?.problem?.code).toBe('invalid');
    const { edges } = await client.get<Graph>('/graph');
    expect(edges.map(({ type }) => type).sort()).toEqual(['reference', 'related']);
  });

  it('takes lines of NDJSON where the caller prefers it so, again and again, and prunes', async () => {
    const client = await newBrain();
    const notes = ['a', 'b', 'c'].map((key) => ({ key, path: `vault/${key}`, title: key }));
    const first = await client.send<Job>('POST', '/imports?collection=vault', lines(notes), NDJSON);
    expect([first.headers['preference-applied'], first.headers['vary']]).toEqual([
      'respond-async',
      'Accept, Prefer',
    ]);
    await client.brain.services.jobs.idle();
    const body = `${lines([notes[0], { ...notes[1], title: 'new' }])}\nno JSON`;
    const kept = await imported(client, body, { headers: NDJSON, query: '&prune=true' });
    expect((await itemsOf(client, kept)).map(({ key, status }) => [key, status])).toEqual([
      ['a', 'unchanged'],
      ['b', 'updated'],
      ['line 3', 'failed'],
      ['c', 'missing'], // the third line may have been that
    ]);
    const pruned = await imported(client, lines([notes[0]]), { headers: NDJSON, query: '&prune=true' });
    expect((await itemsOf(client, pruned)).map(({ key, status }) => [key, status])).toEqual([
      ['a', 'unchanged'],
      ['b', 'pruned'],
      ['c', 'pruned'],
    ]);
    expect(await titlesOf(client)).toEqual(['a']);
  });

  it('says what would be done, and does nothing, for a dry run', async () => {
    const client = await newBrain();
    const job = await imported(client, { items: [{ key: 'a', title: 'A' }] }, { query: '&dryRun=true' });
    expect([job.status, (await itemsOf(client, job)).map(({ status }) => status)]).toEqual([
      'done',
      ['created'],
    ]);
    expect(await titlesOf(client)).toEqual([]);
  });

  it('takes a vault in a zip as an import of the folder takes it', async () => {
    const client = await newBrain();
    const files = [
      { path: 'vault/Health/Sleep.md', text: '---\ntags: [night]\n---\nSee [[Bread]].' },
      { path: 'vault/Bread.md', text: 'flour and water' },
      { path: 'vault/.obsidian/plugin.md', text: 'not a note' },
      { path: 'vault/picture.png', text: 'no text' },
      { path: 'vault/broken.md', text: Buffer.from([0xff, 0x00]) },
    ];
    const job = await imported(client, await zipped(files), { headers: ZIP });
    const report = await itemsOf(client, job);
    expect(report.map(({ key, status }) => [key, status])).toEqual([
      ['vault/Bread.md', 'created'],
      ['vault/Health/Sleep.md', 'created'],
      ['vault/broken.md', 'failed'],
    ]);
    const { nodes, edges } = await client.get<Graph>('/graph');
    expect(edges.map(({ type }) => type)).toEqual(['reference']);
    expect(nodes.find(({ title }) => title === 'Sleep')).toMatchObject({
      tags: ['night'],
      categories: [expect.objectContaining({ method: 'rule-based' })],
    });
  });

  it('says of a note of a zip what is not as it should be, though the note went in', async () => {
    const client = await newBrain();
    const files = [
      { path: 'a.md', text: 'See [[b]], [[nowhere]]\n\nand [[gone]].' },
      { path: 'b.md', text: '---\ntitle: [\n---\nflour' },
      { path: 'c.md', text: Array.from({ length: 30 }, (_, at) => `[[none ${at}]]`).join(' ') },
    ];
    for (const query of ['&dryRun=true', '']) {
      const job = await imported(client, await zipped(files), { headers: ZIP, query });
      const [a, b, c] = await itemsOf(client, job);
      expect(a).toMatchObject({
        key: 'vault/a.md',
        status: 'created',
        details: {
          warnings: [
            { code: 'broken_link', line: 1, target: 'nowhere' },
            { code: 'broken_link', line: 3, target: 'gone' },
          ],
        },
      });
      expect(b).toMatchObject({ details: { warnings: [{ code: 'broken_frontmatter' }] } });
      expect(c?.details?.['warnings']).toHaveLength(20);
      expect(c?.details?.['moreWarnings']).toBe(10);
    }
  });

  it('prunes nothing while something of a zip cannot be read: it may be any of what is missing', async () => {
    const client = await newBrain();
    const note = { path: 'a.md', text: 'a' };
    await imported(client, await zipped([note, { path: 'b.md', text: 'b' }]), { headers: ZIP });
    const zip = await zipped([note, { path: 'renamed.md', text: Buffer.from([0xff, 0x00]) }]);
    const kept = await imported(client, zip, { headers: ZIP, query: '&prune=true' });
    expect(kept.result).toMatchObject({ failed: 1, missing: 1, pruned: 0 });
    const pruned = await imported(client, await zipped([note]), { headers: ZIP, query: '&prune=true' });
    expect(pruned.result).toMatchObject({ missing: 1, pruned: 1 });
  });

  it.each([
    ['zip_damaged', async () => Buffer.from('this is no zip at all, however long it may be')],
    ['zip_symlink', () => zipped([{ path: 'a.md', text: '/etc/passwd', mode: 0o120777 }])],
    ['zip_ratio', () => zipped([{ path: 'a.bin', text: 'a'.repeat(5_000_000) }])],
    [
      'zip_slip',
      async () => renamed(await zipped([{ path: 'aa/bb.md', text: 'x' }]), 'aa/bb.md', '../bb.md'),
    ],
    [
      'zip_slip',
      async () => renamed(await zipped([{ path: 'aa/bb.md', text: 'x' }]), 'aa/bb.md', 'a\\..\\.md'),
    ],
    [
      'zip_absolute_path',
      async () => renamed(await zipped([{ path: 'aa/bb.md', text: 'x' }]), 'aa/bb.md', '/a/bb.md'),
    ],
    [
      'zip_absolute_path',
      async () => renamed(await zipped([{ path: 'aa/bb.md', text: 'x' }]), 'aa/bb.md', 'C:/bb.md'),
    ],
    ['zip_encrypted', async () => encrypted(await zipped([{ path: 'a.md', text: 'x' }]))],
    ['zip_overlap', async () => overlapping(await zipped([{ path: 'a.md', text: 'x' }]))],
    [
      'zip_too_large',
      async () => declared(await zipped([{ path: 'a.md', text: 'x' }]), 1_200_000_000, 10_000_000),
    ],
  ] as const)('refuses a trap by its name before anything is stored: %s', async (code, make) => {
    const client = await newBrain();
    const answer = await client.send('POST', '/imports?collection=vault', await make(), ZIP);
    expect([answer.status, answer.body.code, answer.body.errors?.map((issue) => issue.code)]).toEqual([
      422,
      'invalid',
      [code],
    ]);
    expect((await client.get<{ items: Job[] }>('/jobs')).items).toEqual([]);
  });

  it('goes on after a restart where it was, and each item is stored and told of once', async () => {
    const folder = dataFolder();
    const before = await newBrain(folder);
    const items = Array.from({ length: 3000 }, (_, n) => ({
      key: `n${n}`,
      title: `note ${n}`,
      content: `text ${n}`,
    }));
    const { jobs } = before.brain.services;
    const halfway = Promise.withResolvers<void>();
    jobs.onChange(({ progress }) => progress.done > 1000 && halfway.resolve());
    const answer = await before.send<Job>('POST', '/imports?collection=vault', { items });
    const path = answer.headers['location']!.slice('/api/v2'.length);
    await halfway.promise;
    await jobs.stop();
    const cut = await before.get<Job>(path);
    const told = (await itemsOf(before, cut)).length;
    expect([cut.status, told > 1000, told < 3000]).toEqual(['queued', true, true]);
    await before.close();
    const client = await newBrain(folder);
    await client.brain.services.jobs.resume(client.brain.owner);
    await client.brain.services.jobs.idle();
    const job = await client.get<Job>(path);
    expect(job).toMatchObject({ status: 'done', result: { created: 3000, notes: 3000 } });
    const report = await itemsOf(client, job);
    expect(report.map(({ key, status }) => `${key} ${status}`)).toEqual(
      items.map(({ key }) => `${key} created`),
    );
  });

  it('is cancelled: what it has stored stays and is linked, the rest is not there', async () => {
    const client = await newBrain();
    const items = Array.from({ length: 5000 }, (_, n) => ({ key: `n${n}`, title: `note ${n}` }));
    const answer = await client.send<Job>('POST', '/imports?collection=vault', { items });
    const itsItems = () =>
      client.get<{ readonly items: readonly JobItem[] }>(`/jobs/${answer.body.id}/items?limit=1`);
    await vi.waitFor(async () => expect((await itsItems()).items).toHaveLength(1), { interval: 1 });
    const asked = await client.post<Job>(`/jobs/${answer.body.id}/cancel`, undefined, 200);
    await client.brain.services.jobs.idle();
    const job = await client.get<Job>(`/jobs/${asked.id}`);
    expect([job.status, job.cancelling, job.result]).toEqual(['cancelled', false, null]);
    const report = await itemsOf(client, job);
    expect(job.progress.done).toBe(report.length);
    expect((await titlesOf(client)).length).toBe(report.length);
    expect(report.length).toBeLessThan(5000);
  });

  // Bytes in a table are read in this thread.
  it.skipIf(STORE !== 'sqlite')('is cancelled while its zip is read: the worker is let go of', async () => {
    const files = Array.from({ length: 1000 }, (_, n) => ({ path: `${n}.md`, text: `text ${n}` }));
    const zip = await zipped(files);
    const client = await newBrain();
    const { workers, services } = client.brain;
    const answer = await client.send<Job>('POST', '/imports?collection=vault', zip, ZIP);
    await vi.waitFor(() => expect(workers.metrics.running).toBe(1), { interval: 1 });
    await client.post<Job>(`/jobs/${answer.body.id}/cancel`, undefined, 200);
    await services.jobs.idle();
    expect(workers.metrics).toMatchObject({ running: 0, outcomes: { cancelled: 1, done: 0 } });
    expect(await titlesOf(client)).toEqual([]);
  });
});

/** The zip with a name changed for one as long. */
function renamed(zip: Buffer, from: string, to: string): Buffer {
  return Buffer.from(zip.toString('latin1').replaceAll(from, to), 'latin1');
}

const CENTRAL = Buffer.from('PK\x01\x02', 'latin1');

function encrypted(zip: Buffer): Buffer {
  const at = zip.indexOf(CENTRAL);
  zip.writeUInt16LE(zip.readUInt16LE(at + 8) | 1, at + 8);
  return zip;
}

function overlapping(zip: Buffer): Buffer {
  const at = zip.indexOf(CENTRAL);
  zip.writeUInt32LE(1_000_000, at + 20);
  return zip;
}

/** Says of its one entry that it is of other sizes; the bytes that this takes follow. */
function declared(zip: Buffer, unpacked: number, packed: number): Buffer {
  const at = zip.indexOf(CENTRAL);
  const end = zip.subarray(at);
  end.writeUInt32LE(packed, 20);
  end.writeUInt32LE(unpacked, 24);
  const eocd = end.indexOf(Buffer.from('PK\x05\x06', 'latin1'));
  end.writeUInt32LE(at + packed, eocd + 16);
  return Buffer.concat([zip.subarray(0, at), Buffer.alloc(packed), end]);
}
