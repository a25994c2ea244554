import type { Category, Node } from '../../src/api/v1.ts';
import type { Recording } from './recorder.ts';

/** A short life of a graph, which shows every operation of v1. */
export async function examplesOfV1(record: Recording): Promise<void> {
  const { body: sleep } = await record<Node>('createNode', {
    shows: 'A note with tags',
    body: {
      title: 'Sleep',
      content:
        'Sleep follows the circadian rhythm. Melatonin rises in the evening, and body temperature falls.',
      tags: ['health'],
    },
  });
  const { body: melatonin } = await record<Node>('createNode', {
    shows: 'A note of content alone',
    body: {
      content:
        'Melatonin is the hormone of the circadian rhythm: evening light delays it, and with it sleep.',
    },
  });
  await record('listNodes', { shows: 'Every note' });
  const page = await record<{ nextToken?: string }>('listNodes', {
    shows: 'The first page',
    parameters: { limit: '1', sortBy: 'title', sortDirection: 'asc' },
  });
  await record('listNodes', {
    shows: 'The page after it',
    parameters: { limit: '1', nextToken: page.body.nextToken ?? '', sortBy: 'title', sortDirection: 'asc' },
  });
  await record('listNodes', { shows: 'Notes found by words', parameters: { search: 'melatonin' } });
  await record('getNode', { shows: 'A note and what it is connected to', parameters: { id: sleep.nodeId } });
  await record('replaceNode', {
    shows: 'Another text',
    parameters: { id: sleep.nodeId },
    body: {
      content: 'Sleep follows the circadian rhythm; melatonin and evening light set it.',
      tags: [],
      version: 0,
    },
  });
  await record('getGraphData', { shows: 'Two notes and their connection' });
  await recordCategories(record, { sleep: sleep.nodeId, melatonin: melatonin.nodeId });
  await record('deleteNodes', {
    shows: 'One that exists and one that does not',
    body: { nodeIds: [melatonin.nodeId, '0190a7c4-0000-7000-8000-000000000000'] },
  });
  await record('deleteNode', { shows: 'One note', parameters: { id: sleep.nodeId } });
}

async function recordCategories(
  record: Recording,
  { sleep, melatonin }: { readonly sleep: string; readonly melatonin: string },
): Promise<void> {
  const { body: health } = await record<Category>('createCategory', {
    shows: 'A category',
    body: { title: 'Health', description: 'Body and mind' },
  });
  await record('listCategories', { shows: 'All of them' });
  await record('getCategory', { shows: 'One category', parameters: { id: health.id } });
  await record('replaceCategory', {
    shows: 'Another title',
    parameters: { id: health.id },
    body: { title: 'Sleep and health', description: 'Body and mind' },
  });
  await record('assignNode', { shows: 'One note', parameters: { id: health.id }, body: { nodeId: sleep } });
  await record('listCategoryNodes', { shows: 'Its notes', parameters: { id: health.id } });
  await record('listNodeCategories', { shows: 'Of a note', parameters: { id: sleep } });
  await record('categorizeNode', { shows: 'By what related notes are in', parameters: { id: melatonin } });
  await record('getCategoryHierarchy', { shows: 'The tree' });
  await record('suggestCategories', {
    shows: 'For a thought',
    body: { content: 'Does evening light delay sleep, as it delays melatonin?' },
  });
  await record('getCategoryInsights', { shows: 'What stands out' });
  await record('rebuildCategories', { shows: 'Nothing to tidy up' });
  await record('removeNode', { shows: 'One note', parameters: { id: health.id, nodeId: sleep } });
  await record('deleteCategory', { shows: 'One category', parameters: { id: health.id } });
}
