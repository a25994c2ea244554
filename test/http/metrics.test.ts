import { describe, expect, it } from 'vitest';
import { newBrain } from './client.ts';
import { serveBrain } from './server.ts';
import { connectBrain } from '../../src/client/client.ts';

/** The samples of a scrape, by name and labels. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('/metrics', () => {
  it('counts requests by route, method and status, the work of the store and of linking, and what is stored', async () => {
    const { create, send, sendRoot } = await newBrain();
    const { id } = await create({ title: 'Sleep', content: 'Sleep follows the circadian rhythm.' });
    await create({ title: 'Melatonin', content: 'Melatonin is of the circadian rhythm.' });
    for (const at of [id, id, 'nothing']) await send('GET', `/nodes/${at}`);
    const { status, headers, text } = await sendRoot('GET', '/metrics');
    expect([status, headers['content-type']]).toEqual([
      200,
      expect.stringMatching(/^text\/plain; version=0\.0\.4/),
    ]);
    const samples = samplesOf(text);
    const requests = (method: string, route: string, code: number) =>
      samples.get(`brain2_http_requests_total{method="${method}",route="${route}",status="${code}"}`);
    expect(requests('POST', '/api/v2/nodes', 201)).toBe(2);
    expect(requests('GET', '/api/v2/nodes/:id', 200)).toBe(2);
    expect(requests('GET', '/api/v2/nodes/:id', 404)).toBe(1);
    expect(
      samples.get('brain2_http_request_duration_seconds_count{method="GET",route="/api/v2/nodes/:id"}'),
    ).toBe(3);
    expect(samples.get('brain2_work_duration_seconds_count{kind="store.commit",outcome="done"}')).toBe(2);
    expect(samples.get('brain2_work_duration_seconds_count{kind="linking",outcome="done"}')).toBe(2);
    expect(samples.get('brain2_nodes')).toBe(2);
    expect(samples.get('brain2_index_notes')).toBe(2);
    expect(samples.get('brain2_index_behind_events')).toBe(0);
    expect(samples.get('brain2_log_position')).toBeGreaterThanOrEqual(2);
    expect(samples.get('brain2_store_waiting_writes')).toBe(0);
    expect(samples.get('brain2_workers_waiting')).toBe(0);
    expect(samples.get('brain2_workers_jobs_total{outcome="crashed"}')).toBe(0);
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_p99_seconds',
      'process_resident_memory_bytes',
    ])
      expect(samples.get(name)).toBeGreaterThan(0);
  });

  it('counts what goes over sockets and streams', async () => {
    const { url, json } = await serveBrain();
    const scrape = async () => samplesOf(await (await fetch(`${url}/metrics`)).text());
    expect((await scrape()).get('brain2_realtime_connections')).toBe(0);
    const { epoch, seq } = await json<{ epoch: string; seq: number }>('/graph');
    const client = connectBrain({ url }).events({ from: { epoch, seq } });
    const heard = new Promise<void>((resolve) => {
      client.on({ item: (item) => 'event' in item && resolve() });
    });
    client.start();
    await connectBrain({ url }).http.nodes.create({ content: 'a thought' });
    await heard;
    const samples = await scrape();
    expect(samples.get('brain2_realtime_connections')).toBe(1);
    expect(samples.get('brain2_realtime_sent_total')).toBe(1);
    expect(samples.get('brain2_realtime_serialised_total')).toBe(1);
    expect(samples.get('brain2_realtime_commit_to_socket_seconds_count')).toBe(
      samples.get('brain2_realtime_commit_to_socket_seconds_bucket{le="+Inf"}'),
    );
    client.stop();
  });

  it('has no label that a caller can make up, whatever is asked for', async () => {
    const { sendRoot } = await newBrain();
    const labels = async () => {
      const { text } = await sendRoot('GET', '/metrics');
      return [...samplesOf(text).keys()].filter((name) => name.startsWith('brain2_http')).sort();
    };
    await sendRoot('GET', '/nowhere/first');
    await sendRoot('GET', '/api/v2/nodes/first');
    await labels();
    const before = await labels();
    for (let at = 0; at < 50; at++) {
      await sendRoot('GET', `/nowhere/${at}`);
      await sendRoot('GET', `/api/v2/nodes/made-up-${at}`);
    }
    expect(await labels()).toEqual(before);
    expect(before.join('\n')).not.toMatch(/nowhere|first/);
  });

  it('answers while the store does not, without what would have to be read from it', async () => {
    const { brain, sendRoot } = await newBrain();
    brain.services.indexes.freshness = () => Promise.reject(new Error('gone'));
    const { status, text } = await sendRoot('GET', '/metrics');
    expect([status, samplesOf(text).has('brain2_nodes')]).toEqual([200, false]);
    expect(samplesOf(text).get('brain2_http_requests_total')).toBeUndefined();
  });
});
