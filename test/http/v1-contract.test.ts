import { describe, expect, it } from 'vitest';
import type { DeprecationUsage } from '../../src/api/v2.ts';
import { newBrain } from './client.ts';
import { readExchanges, replay, writeExchanges } from './exchanges.ts';

const FILE = new URL('v1-exchanges.ndjson', import.meta.url);

/** Every operation of v1, as old clients know it. */
const OPERATIONS = [
  'DELETE /api/v1/categories/{id}',
  'DELETE /api/v1/categories/{id}/nodes/{nodeId}',
  'DELETE /api/v1/nodes/{id}',
  'GET /api/v1/categories',
  'GET /api/v1/categories/hierarchy',
  'GET /api/v1/categories/insights',
  'GET /api/v1/categories/{id}',
  'GET /api/v1/categories/{id}/nodes',
  'GET /api/v1/graph-data',
  'GET /api/v1/nodes',
  'GET /api/v1/nodes/{id}',
  'GET /api/v1/nodes/{id}/categories',
  'POST /api/v1/categories',
  'POST /api/v1/categories/rebuild',
  'POST /api/v1/categories/suggest',
  'POST /api/v1/categories/{id}/nodes',
  'POST /api/v1/nodes',
  'POST /api/v1/nodes/bulk-delete',
  'POST /api/v1/nodes/{id}/categories',
  'PUT /api/v1/categories/{id}',
  'PUT /api/v1/nodes/{id}',
];

describe('the contract of v1', () => {
  it('is answered as it was recorded, exchange by exchange, and the record has every operation', async () => {
    const brain = await newBrain();
    const recorded = readExchanges(FILE);
    const replayed = await replay(brain, recorded);
    // To take a change of the contract into the record, on purpose: run this test with BRAIN2_TEST_RECORD=1.
    if (process.env['BRAIN2_TEST_RECORD'] === '1') writeExchanges(FILE, replayed);
    for (const [at, exchange] of replayed.entries()) expect(exchange).toEqual(recorded[at]);

    const { items } = await brain.get<DeprecationUsage>('/usage/deprecations');
    expect(items.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(OPERATIONS);
    for (const { path, successor } of items) {
      if (successor === null) continue;
      const { method } = successor;
      const url = successor.path.replace(/\{(\w+)\}/g, ':$1');
      expect([path, url, brain.brain.app.hasRoute({ method, url })]).toEqual([path, url, true]);
    }
  });
});
