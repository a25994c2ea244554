import { expect, test } from 'vitest';
import { asyncApiDocument } from '../../src/api/asyncapi.ts';
import { EVENT_TYPES } from '../../src/domain/event.ts';
import { VERSION } from '../../src/server/version.ts';
import document from '../../docs/asyncapi.json' with { type: 'json' };
import { ACTIONS, clientFrame, serverFrame } from './frames.ts';

test('docs/asyncapi.json is what the schemas say: after a change, npm run docs:asyncapi', () => {
  expect(document).toEqual(JSON.parse(JSON.stringify(asyncApiDocument(VERSION))));
});

test('it has every frame of both sides, each with a summary, and nothing else', () => {
  const names = [
    ...ACTIONS.client.map((action) => `client.${action}`),
    ...ACTIONS.server.map((action) => `server.${action}`),
  ];
  expect(Object.keys(document.components.messages)).toEqual(names);
  for (const { summary } of Object.values(document.components.messages)) expect(summary).toMatch(/.\.$/);
  const { fromClient, fromServer } = document.operations;
  expect([...fromClient.messages, ...fromServer.messages].map(({ $ref }) => $ref)).toEqual(
    names.map((name) => `#/channels/events/messages/${name}`),
  );
});

test('it refuses a frame with a field that it does not have, and one without a field that it needs', () => {
  expect(() => serverFrame('{"action":"bye","code":4500,"reason":"x","reconnect":true}')).toThrow(
    'retryAfterMs',
  );
  expect(() => serverFrame('{"action":"auth.expiring","inMs":1,"owner":"bob"}')).toThrow('additional');
  expect(() => clientFrame('{"action":"resume","seq":1}')).toThrow('epoch');
});

test('the types of events are those of the domain, kind by kind', () => {
  expect(new Set(EVENT_TYPES.map((type) => type.split('.')[0]))).toEqual(
    new Set(['node', 'edge', 'category']),
  );
  expect(new Set(EVENT_TYPES).size).toBe(EVENT_TYPES.length);
});
