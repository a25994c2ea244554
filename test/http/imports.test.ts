import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Category, Changes, Edge, Graph, Node } from '../../src/api/v2.ts';
import type { ImportEvent } from '../../src/api/v2-imports.ts';
import { dataFolder, newBrain, SLEEP } from './client.ts';
import { serveBrain } from './server.ts';

const note = (key: string, fields: object = {}) => ({
  key,
  path: `vault/${key}`,
  content: `text of ${key}`,
  ...fields,
});
const items = (events: readonly ImportEvent[]) =>
  events.flatMap((e) => (e.type === 'item' ? [`${e.key} ${e.status}`] : []));
const missing = (events: readonly ImportEvent[]) =>
  events.flatMap((e) => (e.type === 'missing' ? [`${e.key} ${e.pruned}`] : []));

describe('an import', () => {
  it('stores each line as a note, linked, and says so line by line, then in sum', async () => {
    const { importNotes, all, get } = await newBrain();
    const dates = { createdAt: '2020-01-02T03:04:05.000Z', updatedAt: '2021-01-02T03:04:05.000Z' };
    const { events, summary } = await importNotes([
      note('a.md', { ...SLEEP.melatonin, tags: ['x'], aliases: ['y'], ...dates }),
      '',
      note('b.md', SLEEP.sleep),
    ]);
    expect(items(events)).toEqual(['a.md created', 'b.md created']);
    expect(summary).toMatchObject({
      created: 2,
      updated: 0,
      unchanged: 0,
      failed: 0,
      missing: 0,
      notes: 2,
      edges: 1,
    });
    const [a] = await all<Node>('/nodes', { sort: 'createdAt' });
    expect(a).toMatchObject({
      ...SLEEP.melatonin,
      ...dates,
      tags: ['x'],
      aliases: ['y'],
      source: { kind: 'import', key: 'a.md', path: 'vault/a.md' },
    });
    expect((await get<Graph>('/graph')).edges).toMatchObject([{ origin: 'auto', type: 'related' }]);
  });

  it('names of a part of an export the rules that it breaks, and none of other parts', async () => {
    const { importNotes } = await newBrain();
    const { events } = await importNotes([
      { decision: { a: 'x', b: crypto.randomUUID(), verdict: 'accepted', fingerprints: {} } } as object,
    ]);
    const [item] = events;
    expect(item?.type === 'item' && item.problem?.errors.map(({ pointer }) => pointer).sort()).toEqual([
      '/decision/a',
      '/decision/at',
    ]);
  });

  it('names what it cannot take, by key or line, and takes the rest', async () => {
    const { importNotes, all } = await newBrain();
    const { events, summary } = await importNotes([
      note('good.md'),
      '{"key": broken',
      '[]',
      { key: 'odd.md', contents: 'x' } as object,
      note('blank.md', { content: '' }),
      note('long.md', { content: 'é'.repeat(200_000) }),
      note('good.md', { content: 'the key again' }),
      note('last.md'),
    ]);
    expect(items(events)).toEqual([
      'good.md created',
      'line 2 failed',
      'line 3 failed',
      'odd.md failed',
      'blank.md failed',
      'long.md failed',
      'good.md failed',
      'last.md created',
    ]);
    expect([summary.created, summary.failed]).toEqual([2, 6]);
    const problems = events.flatMap((e) => (e.type === 'item' && e.problem ? [e.problem] : []));
    expect(problems.map((p) => p.code)).toEqual(problems.map(() => 'invalid'));
    expect(problems[2]?.errors).toMatchObject([{ pointer: '/contents', code: 'unknown_field' }]);
    expect(await all<Node>('/nodes')).toHaveLength(2);
  });

  it('run again changes nothing; an edited note is updated, under the same id', async () => {
    const { importNotes, get, all } = await newBrain();
    const notes = [
      note('a.md', SLEEP.melatonin),
      note('b.md', SLEEP.sleep),
      note('c.md', { links: [{ target: 'a.md', text: 'a' }] }),
    ];
    await importNotes(notes);
    const before = await get<Graph>('/graph');
    const again = await importNotes(notes);
    expect(again.summary).toMatchObject({ created: 0, updated: 0, unchanged: 3, missing: 0, references: 1 });
    expect(await get<Graph>('/graph')).toEqual(before);
    const edited = await importNotes([note('a.md', { content: 'other' }), ...notes.slice(1)]);
    expect(items(edited.events)).toEqual(['a.md updated', 'b.md unchanged', 'c.md unchanged']);
    const nodes = await all<Node>('/nodes', { sort: 'createdAt' });
    expect(nodes.map((n) => n.id)).toEqual(before.nodes.map((n) => n.id));
    expect(nodes[0]).toMatchObject({ content: 'other', title: 'Melatonin', version: 2 });
  });

  it('reports what its source no longer has, and deletes it only when told to', async () => {
    const { importNotes, create, all } = await newBrain();
    await create({ content: 'made by hand' });
    await importNotes([note('a.md'), note('b.md'), note('c.md')]);
    await importNotes([{ key: 'o', path: 'other/o', content: 'of another vault' }], { collection: 'other' });
    const reported = await importNotes([note('a.md'), note('b.md', { content: '' })]);
    expect(missing(reported.events)).toEqual(['c.md false']);
    expect(await all<Node>('/nodes')).toHaveLength(5);
    const dry = await importNotes([note('a.md')], { prune: 'true', dryRun: 'true' });
    expect(missing(dry.events).sort()).toEqual(['b.md false', 'c.md false']);
    expect(await all<Node>('/nodes')).toHaveLength(5);
    const pruned = await importNotes([note('a.md'), note('b.md', { content: '' })], { prune: 'true' });
    expect(missing(pruned.events)).toEqual(['c.md true']);
    expect(pruned.summary).toMatchObject({ failed: 1, missing: 1, pruned: 1, notes: 4 });
  });

  it('deletes nothing while a line stands for a note that cannot be told', async () => {
    const { importNotes, all } = await newBrain();
    await importNotes([note('a.md'), note('b.md')]);
    const { events, summary } = await importNotes([note('a.md'), '{"key":"b.md", cut'], { prune: 'true' });
    expect(missing(events)).toEqual(['b.md false']);
    expect([summary.pruned, (await all<Node>('/nodes')).length]).toEqual([0, 2]);
  });

  it('as a dry run says what would be done and does nothing', async () => {
    const { importNotes, get } = await newBrain();
    await importNotes([note('a.md')]);
    const before = await get<Graph>('/graph');
    const { events, summary } = await importNotes(
      [note('a.md', { content: 'new' }), note('b.md', { category: ['X'] }), note('c.md', { content: '' })],
      { dryRun: 'true' },
    );
    expect(items(events)).toEqual(['a.md updated', 'b.md created', 'c.md failed']);
    expect(summary).toMatchObject({ created: 1, updated: 1, failed: 1 });
    expect(await get<Graph>('/graph')).toEqual(before);
    expect((await get<{ items: Category[] }>('/categories')).items).toEqual([]);
  });
});

describe('the links written in imported notes', () => {
  it('become references of people; broken ones are counted, and stored once their target comes', async () => {
    const { importNotes, all } = await newBrain();
    const a = note('a.md', {
      links: [
        { target: 'b.md', text: 'B' },
        { target: 'a.md', text: 'self' },
      ],
    });
    const first = await importNotes([a]);
    expect(first.summary).toMatchObject({ references: 0, brokenReferences: 1 });
    const second = await importNotes([a, note('b.md', { links: [{ target: 'a.md', text: 'A' }] })]);
    expect(second.summary).toMatchObject({ references: 2, brokenReferences: 0 });
    const edges = await all<Edge>('/edges');
    expect(edges).toMatchObject([{ type: 'reference', origin: 'human', status: 'accepted', weight: 1 }]);
    const unlinked = ['a.md', 'b.md'].map((key) => note(key, { content: `${key} links nothing any more` }));
    await importNotes(unlinked);
    expect(await all<Edge>('/edges')).toEqual([]);
  });

  it('of a hub are all stored, however many, and all gone with it', async () => {
    const { importNotes, get, edgesOf, drop, all } = await newBrain();
    const leaves = Array.from({ length: 300 }, (_, i) => note(`n${i}.md`));
    const hub = note('hub.md', { links: leaves.map(({ key }) => ({ target: key, text: key })) });
    const { summary } = await importNotes([hub, ...leaves]);
    expect(summary).toMatchObject({ created: 301, references: 300 });
    const node = (await get<Graph>('/graph')).nodes.find((n) => n.source.key === 'hub.md');
    const references = (await edgesOf(node?.id ?? '')).filter((e) => e.type === 'reference');
    expect(references).toHaveLength(300);
    await drop(`/nodes/${node?.id}`);
    expect((await all<Edge>('/edges', { limit: '200' })).filter((e) => e.type === 'reference')).toEqual([]);
  });
});

describe('the categories of imported notes', () => {
  it('are made from their path once, however it is spaced, and followed when they change', async () => {
    const { importNotes, get, all } = await newBrain();
    const at = (category: string[]) => [
      note('a.md', { category }),
      note('b.md', { category: ['Work', 'Mail'] }),
    ];
    await importNotes(at([' Work', 'Mail ']));
    await importNotes(at(['Work', 'Mail']));
    const tree = async () =>
      (await get<{ items: Category[] }>('/categories')).items.map(
        (c) => `${c.level} ${c.title} ${c.noteCount}`,
      );
    expect(await tree()).toEqual(['0 Work 0', '1 Mail 2']);
    await importNotes(at(['Home']));
    expect(await tree()).toEqual(['0 Home 1', '0 Work 0', '1 Mail 1']);
    const [node] = await all<Node>('/nodes', { sort: 'createdAt' });
    expect(node?.categories).toMatchObject([{ method: 'rule-based', confidence: 1 }]);
  });
});

describe('an import over a socket', () => {
  /** A word of its own for each number. */
  const word = (i: number) =>
    `Zo${[81, 9, 1].map((place) => `${'bdfgklmnp'[Math.floor(i / place) % 9]}a`).join('')}x`;
  /** Each names the one before it, and links the first. */
  const line = (i: number) => {
    const content = `It follows ${word(i === 0 ? 1 : i - 1)}.`;
    const links = [{ target: 'n0.md', text: 'zero' }];
    return `${JSON.stringify(note(`n${i}.md`, { title: word(i), content, links }))}\n`;
  };
  const LINES = 700;
  const body = Array.from({ length: LINES }, (_, i) => line(i)).join('');
  const headers = { 'content-type': 'application/x-ndjson', 'x-correlation-id': 'import-1' };

  it('takes far more than a request body may have, each change under its correlation id', async () => {
    const { url, json } = await serveBrain();
    const padding = 'x'.repeat(2000);
    const big = Array.from(
      { length: LINES },
      (_, i) => `${JSON.stringify(note(`p${i}.md`, { content: `${padding}${i}` }))}\n`,
    );
    const answer = await fetch(`${url}/api/v2/imports?collection=vault`, {
      method: 'POST',
      headers,
      body: big.join(''),
    });
    const last = (await answer.text()).trimEnd().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ type: 'summary', summary: { created: LINES } });
    const changes = await json<Changes>('/changes?limit=1000');
    expect(new Set(changes.items.map((c) => c.correlationId))).toEqual(new Set(['import-1']));
  });

  it('whose caller goes away in the middle leaves nothing half, and completes when run again', async () => {
    const { url, json, running } = await serveBrain(dataFolder());
    const cut = request(`${url}/api/v2/imports?collection=vault`, { method: 'POST', headers });
    cut.on('error', () => {}); // it is we who cut it
    cut.write(body.slice(0, body.length / 2));
    const [answer] = (await once(cut, 'response')) as [NodeJS.ReadableStream];
    await once(answer, 'data'); // some are stored, and told
    cut.destroy();
    await running.settled();
    const half = await json<Graph>('/graph');
    expect(half.nodes.length).toBeGreaterThan(0);
    expect(half.nodes.length).toBeLessThan(LINES);
    const ids = new Set(half.nodes.map((n) => n.id));
    expect(half.edges.filter((e) => !ids.has(e.sourceId) || !ids.has(e.targetId))).toEqual([]);

    const again = await fetch(`${url}/api/v2/imports?collection=vault`, { method: 'POST', headers, body });
    const events = (await again.text())
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as ImportEvent);
    const last = events.at(-1);
    expect(last).toMatchObject({ type: 'summary', summary: { notes: LINES, references: LINES - 1 } });
    // What was on its way when the caller went may have come after the look at the half.
    const kept = items(events).filter((item) => item.endsWith('unchanged'));
    expect(kept.length).toBeGreaterThanOrEqual(half.nodes.length);
    expect(kept.length).toBeLessThanOrEqual(LINES / 2);
    const whole = await json<Graph>('/graph');
    expect(whole.nodes).toHaveLength(LINES);
    expect(whole.edges.filter((e) => e.type === 'reference')).toHaveLength(LINES - 1);
    const linked = new Set(
      whole.edges.filter((e) => e.type === 'related').flatMap((e) => [e.sourceId, e.targetId]),
    );
    expect(linked.size).toBeGreaterThan(LINES / 2);
  });

  it('that is not UTF-8, or of another type, is told so', async () => {
    const { send } = await newBrain();
    const path = '/imports?collection=vault';
    const bytes = Buffer.concat([
      Buffer.from(JSON.stringify(note('a.md'))),
      Buffer.from('\n{"key":"'),
      Buffer.from([0xff]),
    ]);
    const bad = await send('POST', path, bytes, { 'content-type': 'application/x-ndjson' });
    expect(JSON.parse(bad.text.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'problem',
      problem: { code: 'malformed', status: 400 },
    });
    const cutLetter = Buffer.concat([
      Buffer.from('{"key":"a.md","content":"'),
      Buffer.from('é').subarray(0, 1),
    ]);
    const cut = await send('POST', path, cutLetter, { 'content-type': 'application/x-ndjson' });
    expect(cut.text).toContain('"code":"malformed"');
    expect((await send('POST', path, [note('a.md')])).status).toBe(422);
    expect((await send('POST', path, 'x', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await send('POST', '/imports', '', { 'content-type': 'application/x-ndjson' })).status).toBe(422);
  });
});
