import type { Page } from '../../src/api/common.ts';
import type { BulkResult } from '../../src/api/v2-bulk.ts';
import type { Category, Changes, Edge, LinkedNode, NodePage } from '../../src/api/v2.ts';
import type { Static } from 'typebox';
import type { NewToken } from '../../src/api/v2-tokens.ts';
import { recordJobs, recordLinker } from './examples-v2-jobs.ts';
import type { Recording } from './recorder.ts';

/** A short life of a graph, which shows every operation of v2 and each refusal that a client can bring about. */
export async function examplesOfV2(record: Recording): Promise<void> {
  const notes = await recordNodes(record);
  await recordEdges(record, notes);
  const category = await recordCategories(record, notes);
  await recordBulk(record, notes);
  await recordGraph(record, notes);
  await recordLinker(record);
  await recordJobs(record);
  await recordTokens(record);
  await recordRefusals(record, notes, category);
  await recordDeletions(record, notes, category);
}

interface Notes {
  readonly sleep: string;
  readonly melatonin: string;
  readonly bread: string;
}

const UNKNOWN = '0190a7c4-0000-7000-8000-000000000000';

async function recordNodes(record: Recording): Promise<Notes> {
  const { body: sleep } = await record<LinkedNode>('createNode', {
    shows: 'A note with tags',
    body: {
      title: 'Sleep',
      content:
        'Sleep follows the circadian rhythm. Melatonin rises in the evening, and body temperature falls.',
      tags: ['health'],
    },
  });
  const { body: melatonin } = await record<LinkedNode>('createNode', {
    shows: 'A note that is linked to another at once',
    body: {
      title: 'Melatonin',
      content:
        'Melatonin is the hormone of the circadian rhythm: evening light delays it, and with it sleep.',
      aliases: ['the hormone of darkness'],
    },
  });
  const { body: bread } = await record<LinkedNode>('createNode', {
    shows: 'A note of an importer’s own key',
    body: {
      content: 'A sourdough starter needs flour, water and patience.',
      format: 'text',
      source: { kind: 'api', key: 'recipes/sourdough', path: 'recipes/sourdough.txt' },
    },
  });
  const page = await record<Static<typeof NodePage>>('listNodes', {
    shows: 'The first page',
    parameters: { limit: '2', sort: '-updatedAt', archived: 'false' },
  });
  await record('listNodes', {
    shows: 'The page after it',
    parameters: { cursor: page.body.page.next ?? '', limit: '2', sort: '-updatedAt', archived: 'false' },
  });
  await record('listNodes', {
    shows: 'Notes of a tag that changed since',
    parameters: { tag: 'health', updatedSince: '2020-01-01T00:00:00.000Z' },
  });
  await record('previewLinks', { shows: 'A thought', body: { content: 'Does evening light delay sleep?' } });
  const { etag } = await record('getNode', { shows: 'One note', parameters: { id: sleep.id } });
  await record('getNode', {
    shows: 'A note that the caller has already',
    parameters: { id: sleep.id },
    headers: { 'if-none-match': etag },
    status: 304,
  });
  await record('updateNode', {
    shows: 'Another text; the rest stays',
    parameters: { id: sleep.id },
    headers: { 'if-match': etag },
    body: {
      content: 'Sleep follows the circadian rhythm; melatonin and evening light set it.',
      aliases: null,
    },
  });
  for (const [operationId, shows] of [
    ['listNodeEdges', 'Two notes with much in common'],
    ['listRelated', 'What the engine finds'],
    ['listNeighbors', 'One step away'],
  ] as const) {
    const query =
      operationId === 'listRelated' || operationId === 'listNodeEdges'
        ? { limit: '5' }
        : operationId === 'listNeighbors'
          ? { depth: '2', minWeight: '0.1', limit: '10' }
          : {};
    await record(operationId, { shows, parameters: { id: melatonin.id, ...query } });
  }
  await record('explainPair', {
    shows: 'Terms that both notes have',
    parameters: { id: melatonin.id, otherId: sleep.id },
  });
  return { sleep: sleep.id, melatonin: melatonin.id, bread: bread.id };
}

async function recordEdges(record: Recording, { sleep, bread }: Notes): Promise<void> {
  const { body: edge, etag } = await record<Edge>('createEdge', {
    shows: 'An edge drawn by hand',
    body: { sourceId: bread, targetId: sleep, type: 'manual', weight: 0.8 },
  });
  await record('createEdge', {
    shows: 'An edge that is there already',
    body: { sourceId: bread, targetId: sleep, type: 'manual' },
    status: 409,
  });
  await record('listEdges', {
    shows: 'Edges at a note',
    parameters: {
      node: sleep,
      limit: '10',
      type: 'manual',
      origin: 'human',
      status: 'accepted',
      minWeight: '0.5',
    },
  });
  await record('getEdge', { shows: 'One edge', parameters: { id: edge.id } });
  await record('updateEdge', {
    shows: 'Weighed by a person',
    parameters: { id: edge.id },
    headers: { 'if-match': etag },
    body: { weight: 0.9 },
  });
  await record('explainEdge', { shows: 'What the engine makes of it', parameters: { id: edge.id } });
  await record('deleteEdge', {
    shows: 'Any version',
    parameters: { id: edge.id },
    headers: { 'if-match': '*' },
  });
}

async function recordCategories(record: Recording, { sleep, melatonin }: Notes): Promise<string> {
  const { body: health } = await record<Category>('createCategory', {
    shows: 'A category at the top',
    body: { title: 'Health', description: 'Body and mind', color: '#2f855a', icon: '🌿' },
  });
  const { body: rest, etag } = await record<Category>('createCategory', {
    shows: 'A category below another',
    body: { title: 'Rest', parentId: health.id },
  });
  await record('listCategories', { shows: 'Two levels' });
  const first = await record<Page<Category>>('listCategories', {
    shows: 'The first page',
    parameters: { limit: '1' },
  });
  await record('listCategories', {
    shows: 'The page after it',
    parameters: { limit: '1', cursor: first.body.page.next ?? '' },
  });
  await record('getCategory', { shows: 'One category', parameters: { id: rest.id } });
  const updated = await record<Category>('updateCategory', {
    shows: 'A new title',
    parameters: { id: rest.id },
    headers: { 'if-match': etag },
    body: { title: 'Rest and sleep' },
  });
  await record('moveCategory', {
    shows: 'To the top',
    parameters: { id: rest.id },
    headers: { 'if-match': updated.etag },
    body: { parentId: null },
  });
  await record('assignNodes', {
    shows: 'One note that exists and one that does not',
    parameters: { id: health.id },
    body: { nodeIds: [sleep, UNKNOWN], confidence: 0.9 },
  });
  await record('assignNodes', {
    shows: 'One note',
    parameters: { id: health.id },
    body: { nodeIds: [melatonin] },
  });
  await record('listCategoryNodes', { shows: 'By pages', parameters: { id: health.id, limit: '1' } });
  await record('removeNodes', {
    shows: 'One note',
    parameters: { id: health.id },
    body: { nodeIds: [melatonin] },
  });
  await record('removeNode', { shows: 'One note', parameters: { id: health.id, nodeId: sleep } });
  return health.id;
}

async function recordBulk(record: Recording, { bread }: Notes): Promise<void> {
  const items = [
    { clientId: 'a', title: 'Jet lag', content: 'Light at the wrong hour shifts the circadian rhythm.' },
    { clientId: 'b', title: 'Light therapy', content: 'Morning light shifts the circadian rhythm back.' },
  ];
  const { body: made } = await record<BulkResult>('bulkCreateNodes', {
    shows: 'Two notes that are linked to each other',
    body: { mode: 'atomic', items },
    status: 200,
  });
  await record('bulkCreateNodes', {
    shows: 'A good note and an empty one',
    body: { mode: 'partial', items: [{ title: 'Naps' }, { content: ' ' }] },
    status: 207,
  });
  await record('bulkCreateNodes', {
    shows: 'All or nothing, with one note that is not good',
    body: { mode: 'atomic', items: [{ title: 'Naps' }, { titel: 'Sleep' }] },
    status: 422,
  });
  const [first, second] = made.items;
  const changes = [
    { id: first?.id, ifMatch: first?.etag, tags: ['travel'] },
    { id: second?.id, ifMatch: second?.etag, archived: true },
  ];
  await record('bulkUpdateNodes', {
    shows: 'Two notes as they were read',
    body: { mode: 'atomic', items: changes },
  });
  await record('bulkUpdateNodes', {
    shows: 'A note that has changed since',
    body: { mode: 'partial', items: [{ id: first?.id, ifMatch: '"1"', title: 'Jet lags' }] },
    status: 207,
  });
  await record('bulkGetNodes', { shows: 'Two notes', body: { ids: [first?.id, bread] } });
  await record('bulkGetNodes', {
    shows: 'One that is not there',
    body: { ids: [bread, UNKNOWN] },
    status: 207,
  });
  const ids = made.items.map(({ id }) => ({ id }));
  await record('bulkDeleteNodes', { shows: 'Any version', body: { mode: 'partial', items: ids } });
  await record('bulkDeleteNodes', {
    shows: 'A note that is gone already',
    body: { mode: 'partial', items: ids.slice(0, 1) },
    status: 207,
  });
}

async function recordGraph(record: Recording, { sleep, melatonin, bread }: Notes): Promise<void> {
  await record('getGraph', { shows: 'One document' });
  await record('getGraph', { shows: 'Lines', headers: { accept: 'application/x-ndjson' } });
  await record('findPath', {
    shows: 'Two notes that are linked',
    parameters: { from: sleep, to: melatonin, minWeight: '0.1', maxLength: '3' },
  });
  await record('findPath', { shows: 'Notes that nothing connects', parameters: { from: sleep, to: bread } });
  const { etag } = await record('getGraphStats', { shows: 'A small graph' });
  await record('getGraphStats', {
    shows: 'Counts that the caller has already',
    headers: { 'if-none-match': etag },
    status: 304,
  });
  await record('search', { shows: 'The beginning of a word', parameters: { q: 'circad', limit: '2' } });
  await record('search', { shows: 'Among notes of a tag', parameters: { q: 'sleep', tag: 'health' } });
  const { body } = await record<Changes>('listChanges', {
    shows: 'From the start',
    parameters: { after: '0', limit: '2' },
  });
  await record('listChanges', {
    shows: 'On from there',
    parameters: { after: String(body.seq), epoch: body.epoch, limit: '1' },
  });
  await record('listDeprecatedCalls', { shows: 'None' });
  await record('createSocketTicket', { shows: 'A ticket' });
  await record('importNotes', {
    shows: 'Two notes, one linked to the other by hand',
    parameters: { collection: 'vault', prune: 'false', dryRun: 'false' },
    type: 'application/x-ndjson',
    body: [
      { key: 'Naps.md', title: 'Naps', content: 'A short sleep by day.', category: ['Health'] },
      {
        key: 'Siesta.md',
        title: 'Siesta',
        content: 'See [[Naps]].',
        links: [{ target: 'Naps.md', text: 'Naps' }],
      },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
  });
}

async function recordTokens(record: Recording): Promise<void> {
  const { body: token, etag } = await record<NewToken>('createToken', {
    shows: 'A token that reads, for a time',
    headers: { 'idempotency-key': 'reader-of-the-week' },
    body: { name: 'reader', scopes: ['read'], expiresAt: '2099-01-01T00:00:00.000Z' },
  });
  await record('listTokens', { shows: 'All of them' });
  await record('getToken', { shows: 'One token', parameters: { id: token.id } });
  await record('getToken', {
    shows: 'A token that the caller has already',
    parameters: { id: token.id },
    headers: { 'if-none-match': etag },
    status: 304,
  });
  await record('revokeToken', { shows: 'One token', parameters: { id: token.id } });
}

async function recordRefusals(record: Recording, { sleep }: Notes, category: string): Promise<void> {
  await record('createNode', { shows: 'A field that is not known', body: { titel: 'Sleep' }, status: 422 });
  await record('createNode', { shows: 'A body that is no JSON', body: '{"title": ', status: 400 });
  await record('createNode', { shows: 'A body of text', body: 'Sleep', type: 'text/plain', status: 415 });
  await record('createNode', {
    shows: 'A body of more than a megabyte',
    body: { content: 'sleep '.repeat(180_000) },
    status: 413,
  });
  await record('createNode', {
    shows: 'Credentials that are no token',
    headers: { authorization: 'Basic YWRhOnNlY3JldA==' },
    body: { title: 'Sleep' },
    status: 401,
  });
  await record('createNode', {
    shows: 'A page of another origin',
    headers: { origin: 'https://other.example' },
    body: { title: 'Sleep' },
    status: 403,
  });
  const headers = { 'idempotency-key': 'a-key-that-is-used' };
  const once = { shows: 'A note that is made once', headers, body: { title: 'Once' } };
  const { body: made } = await record<LinkedNode>('createNode', once);
  await record('createNode', {
    shows: 'A key of another request',
    headers,
    body: { title: 'Twice' },
    status: 422,
  });
  await record('deleteNode', {
    shows: 'The version that was read',
    parameters: { id: made.id },
    headers: { 'if-match': '"1"' },
  });
  await record('search', {
    shows: 'A URL without an end',
    parameters: { q: 'sleep '.repeat(700) },
    status: 414,
  });
  await record('getNode', { shows: 'A note that is not there', parameters: { id: UNKNOWN }, status: 404 });
  await record('updateNode', {
    shows: 'A version that is no longer current',
    parameters: { id: sleep },
    headers: { 'if-match': '"1"' },
    body: { title: 'Night' },
    status: 412,
  });
  await record('updateNode', {
    shows: 'No version',
    parameters: { id: sleep },
    body: { title: 'Night' },
    status: 428,
  });
  await record('updateCategory', {
    shows: 'A title that is too long',
    parameters: { id: category },
    headers: { 'if-match': '*' },
    body: { title: 'x'.repeat(101) },
    status: 422,
  });
  await record('listChanges', {
    shows: 'A position of another log',
    parameters: { epoch: UNKNOWN },
    status: 410,
  });
}

async function recordDeletions(record: Recording, { bread }: Notes, category: string): Promise<void> {
  const any = { 'if-match': '*' };
  await record('deleteNode', { shows: 'Any version', parameters: { id: bread }, headers: any });
  await record('deleteCategory', { shows: 'Any version', parameters: { id: category }, headers: any });
}
