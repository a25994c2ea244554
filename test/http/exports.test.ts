import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Category, Edge, Graph, LinkedNode } from '../../src/api/v2.ts';
import type { Job } from '../../src/api/v2-jobs.ts';
import { zipOf } from '../../src/vault/write-zip.ts';
import { ifMatch, newBrain, SLEEP, type Client } from './client.ts';

const TYPES = { ndjson: 'application/x-ndjson', markdown: 'application/zip' } as const;
type Format = keyof typeof TYPES;

const bytesOf = async (client: Client, id: string) =>
  (await client.brain.app.inject({ method: 'GET', url: `/api/v2/exports/${id}/content` })).rawPayload;

async function made(client: Client, format: Format): Promise<Job> {
  const { id } = await client.post<Job>('/exports', { format }, 202);
  await client.brain.services.jobs.idle();
  return client.get<Job>(`/jobs/${id}`);
}

async function exported(client: Client, format: Format): Promise<Buffer> {
  const { id, status, problem } = await made(client, format);
  expect([status, problem]).toEqual(['done', null]);
  return bytesOf(client, id);
}

/** An empty brain that has taken an export back. */
async function taken(bytes: Buffer, format: Format): Promise<Client> {
  const client = await newBrain();
  const headers = { 'content-type': TYPES[format], prefer: 'respond-async' };
  const query = 'collection=back&categories=frontmatter';
  const answer = await client.send<Job>('POST', `/imports?${query}`, bytes, headers);
  await client.brain.services.jobs.idle();
  const job = await client.get<Job>(`/jobs/${answer.body.id}`);
  expect([job.status, job.progress.failed]).toEqual(['done', 0]);
  return client;
}

/** Everything that a person can bring about. */
async function lived(): Promise<Client> {
  const client = await newBrain();
  const sleep = await client.create({ ...SLEEP.sleep, tags: ['night', 'health'], aliases: ['Rest'] });
  const melatonin = await client.create({ ...SLEEP.melatonin, source: { kind: 'api', key: ' odd  key' } });
  const bread = await client.create({ ...SLEEP.bread, format: 'text' });
  const untitled = await client.create({ content: '# Heading\nand #inline and [[Sleep]]\n---\nrule: x' });
  const archived = await client.create({
    title: 'Old: "quoted" [x]',
    content: '---\nno: frontmatter\n---\n',
  });
  await client.send('POST', `/nodes/${archived.id}/archive`, undefined, ifMatch('*'));
  const health = await client.post<Category>('/categories', {
    title: 'Health/Body',
    color: '#00ff00',
    icon: 'x',
  });
  const night = await client.post<Category>('/categories', {
    title: 'Night',
    parentId: health.id,
    description: 'd',
  });
  await client.post(`/categories/${night.id}/nodes`, { nodeIds: [sleep.id, bread.id] }, 200);
  await client.post(`/categories/${health.id}/nodes`, { nodeIds: [sleep.id] }, 200);
  await client.connect({ sourceId: bread.id, targetId: sleep.id, weight: 0.4 });
  await client.connect({ sourceId: untitled.id, targetId: bread.id });
  const { edges } = await client.get<Graph>('/graph');
  const auto = edges.find(({ origin }) => origin === 'auto') as Edge;
  await client.send('PATCH', `/edges/${auto.id}`, { status: 'rejected' }, ifMatch('*'));
  await client.importNotes([
    { key: 'v/a.md', path: 'v/sub/a.md', title: 'A', links: [{ target: 'v/b.md', text: 'b' }] },
    { key: 'v/b.md', path: 'v/b.md', title: 'B', category: ['Health/Body', 'Day'] },
  ]);
  expect(melatonin.source.key).toBe(' odd  key');
  return client;
}

describe('an export', () => {
  it.each(['ndjson', 'markdown'] as const)(
    'as %s, imported into an empty brain, exports the same bytes',
    async (format) => {
      const first = await exported(await lived(), format);
      const second = await exported(await taken(first, format), format);
      expect(second.toString('latin1')).toBe(first.toString('latin1'));
      expect(first.length).toBeGreaterThan(1000);
    },
  );

  it('as ndjson brings back what people have settled: edges with their ids and weights, and rejected pairs', async () => {
    const client = await lived();
    const back = await taken(await exported(client, 'ndjson'), 'ndjson');
    const settled = async (from: Client) =>
      (await Promise.all(['accepted', 'rejected'].map((status) => from.all<Edge>('/edges', { status }))))
        .flat()
        .map(({ version: _version, ...edge }) => edge);
    expect(await settled(back)).toEqual(await settled(client));
    expect((await settled(back)).map(({ status }) => status)).toContain('rejected');
  });

  it('of any notes comes back the same, in both formats', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 });
    const line = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 });
    const marked = fc.constantFrom(
      '#tag',
      '[[x]]',
      '---',
      'a: b',
      '```',
      '[l](x.md)',
      '\t',
      '# H',
      'key:: v',
    );
    const body = fc.array(fc.oneof(text, marked), { maxLength: 6 }).map((parts) => parts.join('\n'));
    const note = fc.record({
      title: text,
      content: body,
      tags: fc.array(line, { maxLength: 3 }),
      aliases: fc.array(line, { maxLength: 3 }),
    });
    const notes = fc.array(note, { minLength: 20, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(notes, async (inputs) => {
        const client = await newBrain();
        for (const input of inputs) await client.send<LinkedNode>('POST', '/nodes', input); // some are refused
        for (const format of ['ndjson', 'markdown'] as const) {
          const first = await exported(client, format);
          const second = await exported(await taken(first, format), format);
          expect(second.equals(first)).toBe(true);
        }
      }),
      { numRuns: Number(process.env['BRAIN2_TEST_EXPORTS'] ?? 3), endOnFailure: true }, // each takes seconds
    );
  });

  it('as markdown comes back the same also where the collection is called like the folder of the notes', async () => {
    const client = await newBrain();
    await client.importNotes([
      { key: 'back/a.md', path: 'back/a.md', title: 'A' },
      { key: 'back/b.md', path: 'back/b.md', title: 'B' },
    ]);
    const first = await exported(client, 'markdown');
    expect((await exported(await taken(first, 'markdown'), 'markdown')).equals(first)).toBe(true);
  });

  const VAULT = process.env['BRAIN2_TEST_VAULT'] ?? '';
  it.skipIf(!existsSync(VAULT))('of a vault of people comes back the same (BRAIN2_TEST_VAULT)', async () => {
    const files = readdirSync(VAULT, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .toSorted()
      .map((path) => ({ path, text: readFileSync(join(VAULT, path), 'utf8') }));
    const client = await taken(Buffer.concat(await Array.fromAsync(zipOf(files))), 'markdown');
    for (const format of ['ndjson', 'markdown'] as const) {
      const first = await exported(client, format);
      const second = await exported(await taken(first, format), format);
      expect(second.equals(first)).toBe(true);
    }
  });

  it('is let go of before its week is over, and its job is told of on', async () => {
    const client = await newBrain();
    await client.create(SLEEP.sleep);
    const { id } = await made(client, 'ndjson');
    const letGo = async () => (await client.send('DELETE', `/exports/${id}/content`)).status;
    expect([await letGo(), await letGo()]).toEqual([204, 204]);
    expect((await client.send('GET', `/exports/${id}/content`)).status).toBe(404);
    expect((await client.get<Job>(`/jobs/${id}`)).status).toBe('done');
    const { body: imported } = await client.send<Job>('POST', '/imports?collection=x', {
      items: [{ key: 'a' }],
    });
    expect((await client.send('DELETE', `/exports/${imported.id}/content`)).status).toBe(404);
  });

  it('is fetched whole or in part, known by its tag, and not before it is done', async () => {
    const client = await newBrain();
    await client.create(SLEEP.sleep);
    const { id, result } = await made(client, 'ndjson');
    const { epoch, seq } = await client.get<Graph>('/graph');
    expect(result).toMatchObject({ notes: 1, epoch, fromSeq: seq, toSeq: seq });
    const whole = await client.send('GET', `/exports/${id}/content`);
    const part = (headers: Record<string, string>) =>
      client.send('GET', `/exports/${id}/content`, undefined, headers);
    const size = Buffer.byteLength(whole.text);
    expect([whole.status, whole.headers['content-length'], whole.headers['accept-ranges']]).toEqual([
      200,
      String(size),
      'bytes',
    ]);
    const answers = await Promise.all([
      part({ range: 'bytes=5-9' }),
      part({ range: 'bytes=-4' }),
      part({ range: `bytes=${size}-` }),
      part({ range: 'bytes=0-1', 'if-range': '"other"' }),
      part({ 'if-none-match': whole.headers['etag'] ?? '' }),
    ]);
    expect(answers.map(({ status, headers, text }) => [status, headers['content-range'], text])).toEqual([
      [206, `bytes 5-9/${size}`, whole.text.slice(5, 10)],
      [206, `bytes ${size - 4}-${size - 1}/${size}`, whole.text.slice(-4)],
      [416, `bytes */${size}`, expect.stringContaining('"code":"range_unsatisfiable"')],
      [200, undefined, whole.text],
      [304, undefined, ''],
    ]);
    const head = await client.send('HEAD', `/exports/${id}/content`, undefined, { range: 'bytes=5-9' });
    expect([head.status, head.headers['content-length']]).toEqual([200, String(size)]);
    const imported = await client.post<Job>(
      '/imports?collection=x',
      { items: [{ key: 'a', title: 'A' }] },
      202,
    );
    await client.brain.services.jobs.idle();
    expect((await client.send('GET', `/exports/${imported.id}/content`)).status).toBe(404);
    await client.brain.services.jobs.stop();
    const waiting = await client.post<Job>('/exports', { format: 'ndjson' }, 202);
    expect((await client.send('GET', `/exports/${waiting.id}/content`)).body.code).toBe('conflict');
  });
});
