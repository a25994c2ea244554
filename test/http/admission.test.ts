import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/api/v2.ts';
import { newBrain, SLEEP } from './client.ts';

const FLOOD = 2_000;

describe('more writes than are done', () => {
  it('are refused by name before anything is done of them; reads and probes are answered, and none is lost', async () => {
    const client = await newBrain();
    const { id } = await client.create(SLEEP.sleep);
    const flood = Array.from({ length: FLOOD }, (_, at) => client.send('POST', '/nodes', { title: `${at}` }));
    const beside = Array.from({ length: 20 }, () =>
      Promise.all([
        client.send('GET', `/nodes/${id}`),
        client.sendRoot('GET', '/livez'),
        client.sendRoot('GET', '/metrics'),
      ]),
    );
    for (const answers of await Promise.all(beside))
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);

    const answers = await Promise.all(flood);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.length - refused.length).toBeGreaterThan(400);
    for (const { status, body, headers } of refused) {
      expect([status, body.code, body.retryable]).toEqual([503, 'overloaded', true]);
      expect(headers['retry-after']).toBe('1');
    }
    const { nodes } = await client.get<Graph>('/graph');
    expect(nodes).toHaveLength(1 + answers.length - refused.length);

    const metrics = (await client.sendRoot('GET', '/metrics')).text.split('\n');
    expect(metrics.filter((line) => /^brain2_admission_(refused|waiting)/.test(line))).toEqual([
      'brain2_admission_waiting{class="read"} 0',
      'brain2_admission_waiting{class="write"} 0',
      'brain2_admission_refused_total{class="read"} 0',
      `brain2_admission_refused_total{class="write"} ${refused.length}`,
    ]);
    expect((await client.send('POST', '/nodes', SLEEP.bread)).status).toBe(201);
  });
});
