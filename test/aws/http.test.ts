import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HttpEvent } from '../../src/aws/events.ts';
import { readFunctionSettings } from '../../src/aws/settings.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';
import { newCloud, type Cloud } from './cloud.ts';

let dynamo: TestDynamo;
let cloud: Cloud;
let authorization: string;
beforeAll(async () => void (dynamo = await startDynamo()));
afterAll(() => dynamo.stop());

function ask(method: string, rawPath: string, more: Partial<HttpEvent> = {}) {
  const { headers, ...rest } = more;
  return cloud.http({
    rawPath,
    rawQueryString: '',
    headers: { host: 'api.example', authorization, ...headers },
    isBase64Encoded: false,
    requestContext: { stage: '$default', http: { method, sourceIp: '192.0.2.1' } },
    ...rest,
  });
}

test('a request of API Gateway is answered as a server answers it: body, query, stage, pictures, refusals', async () => {
  cloud = await newCloud(dynamo);
  authorization = `Bearer ${(await cloud.clientOf('alice')).secret}`;
  const json = { 'content-type': 'application/json' };
  const body = Buffer.from(JSON.stringify({ content: 'déjà vu' }));
  const packed = { headers: json, body: body.toString('base64'), isBase64Encoded: true };
  const made = await ask('POST', '/api/v2/nodes', packed);
  expect(made).toMatchObject({ statusCode: 201, isBase64Encoded: false });
  const { id } = JSON.parse(made.body) as { id: string };
  expect(made.headers['location']).toBe(`/api/v2/nodes/${id}`);
  expect(made.headers).not.toHaveProperty('content-length');
  const staged = { stage: 'prod', http: { method: 'GET', sourceIp: '192.0.2.1' } };
  const found = await ask('GET', '/prod/api/v2/nodes', {
    rawQueryString: 'limit=1',
    requestContext: staged,
  });
  expect(found.statusCode).toBe(200);
  const none = await ask('GET', '/api/v2/nodes', { headers: { authorization: undefined } });
  expect(none).toMatchObject({ statusCode: 401, headers: { 'content-type': 'application/problem+json' } });
  const { statusCode, body: why } = await ask('GET', '/api/v2/events');
  expect(statusCode).toBe(503);
  expect(JSON.parse(why)).toMatchObject({ code: 'unavailable' });
});

test('an answer that is too long for a function is packed for those who take that, and refused by name to others', async () => {
  cloud = await newCloud(dynamo);
  const { secret, http } = await cloud.clientOf('alice');
  authorization = `Bearer ${secret}`;
  const notes = Array.from({ length: 20 }, (_, n) => ({ content: `${n} ${'word '.repeat(59_000)}` }));
  for (const note of notes) await http.nodes.create(note);
  const query = { rawQueryString: 'after=0&limit=500' };
  const refused = await ask('GET', '/api/v2/changes', query);
  expect(refused.statusCode).toBe(413);
  expect(JSON.parse(refused.body)).toMatchObject({ code: 'too_large', instance: '/api/v2/changes' });
  const packed = await ask('GET', '/api/v2/changes', {
    ...query,
    headers: { 'accept-encoding': 'gzip, br' },
  });
  expect(packed).toMatchObject({ statusCode: 200, isBase64Encoded: true });
  expect(packed.headers['content-encoding']).toBe('gzip');
  const { items } = JSON.parse(gunzipSync(Buffer.from(packed.body, 'base64')).toString()) as {
    items: unknown[];
  };
  expect(items.length).toBeGreaterThanOrEqual(20);
});

test('a function serves nobody without asking who they are, and says what it lacks', () => {
  const whole = {
    BRAIN2_AUTH: 'token',
    BRAIN2_EVENT_BUS: 'bus',
    BRAIN2_SOCKET_ENDPOINT: 'https://api.example/prod',
    BRAIN2_SNAPSHOT_BUCKET: 'bucket',
  };
  expect(readFunctionSettings(whole).settings).toMatchObject({ store: 'dynamodb', auth: 'token' });
  expect(() => readFunctionSettings({ ...whole, BRAIN2_AUTH: 'local' })).toThrow('BRAIN2_AUTH=token');
  expect(() => readFunctionSettings({ BRAIN2_AUTH: 'token' })).toThrow('BRAIN2_EVENT_BUS');
  expect(() => readFunctionSettings({ ...whole, BRAIN2_EVENTS_BUS: 'x' })).toThrow('BRAIN2_EVENTS_BUS');
});
