import type { TSchema } from 'typebox';
import { CLIENT_FRAMES, CLOSE, SERVER_FRAMES, SUBPROTOCOL } from './realtime.ts';

/** What a document says of each frame, beside its schema. */
const ABOUT: {
  readonly [A in `client.${keyof typeof CLIENT_FRAMES}` | `server.${keyof typeof SERVER_FRAMES}`]: string;
} = {
  'client.hello': 'Comes first, within 5 seconds: who it is, from where it goes on, what it wants to hear.',
  'client.subscribe': 'Adds a filter, or replaces the one of this id.',
  'client.unsubscribe': 'Takes a filter away.',
  'client.resume': 'Goes on from a position: after a gap, or after a snapshot was read.',
  'client.ack': 'Says how far the client is. Optional; for the figures of lag.',
  'client.ping': 'Asks for a pong, which says how far the server is.',
  'client.pong': 'Answers a ping, within 10 seconds.',
  'client.auth': 'Renews the credential in place.',
  'server.event': 'Something happened.',
  'server.batch': 'Several things happened; each is an event as if it had come alone.',
  'server.notice':
    'How far something is, such as a job. It is in no log, has no position, and may be lost: `ref` has the same.',
  'server.welcome': 'Answers hello. Where `resumed` is true, what was missed comes next.',
  'server.subscribed': 'The filter holds for every event after `fromSeq`, and events are live.',
  'server.unsubscribed': 'The filter is gone for every event after `fromSeq`.',
  'server.replay.begin': 'What was missed follows, each event marked as replayed.',
  'server.replay.end': 'Everything that was missed was sent; from here on events are live.',
  'server.ping': 'The server is there, and nothing that the client asked for is left up to `seq`.',
  'server.pong': 'The same, as the answer to a ping.',
  'server.auth.expiring': 'The credential ends soon; send auth with another.',
  'server.auth.renewed': 'The credential was renewed.',
  'server.resync':
    'The log cannot be read on from the position asked for: read the snapshot, then resume from its position.',
  'server.error': 'A frame of the client was refused; the connection goes on.',
  'server.bye': 'The connection ends now, for this reason.',
};

/** The AsyncAPI 3.1 document of the socket, made from the schemas that both sides are held to. */
export function asyncApiDocument(version: string) {
  const clientMessages = messagesOf('client', CLIENT_FRAMES);
  const serverMessages = messagesOf('server', SERVER_FRAMES);
  const names = (messages: object) =>
    Object.keys(messages).map((name) => ({ $ref: `#/channels/events/messages/${name}` }));
  return {
    asyncapi: '3.1.0',
    info: {
      title: `Brain2, ${SUBPROTOCOL}`,
      version,
      description:
        'What happens in a graph, as it happens: each event once and in order, over as many connections as it takes. ' +
        'The rules are numbered in docs/spec/realtime.md. The same frames, one event each, are served as ' +
        'server-sent events at /api/v2/events.\n\n' +
        `Close codes: ${Object.entries(CLOSE)
          .map(([name, code]) => `${code} ${name}`)
          .join(', ')}.`,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: '127.0.0.1:4321',
        protocol: 'ws',
        description: `WebSocket with the subprotocol ${SUBPROTOCOL}`,
      },
    },
    channels: {
      events: {
        address: '/ws',
        messages: Object.fromEntries(
          Object.keys({ ...clientMessages, ...serverMessages }).map((name) => [
            name,
            { $ref: `#/components/messages/${name}` },
          ]),
        ),
      },
    },
    operations: {
      fromClient: {
        action: 'receive',
        channel: { $ref: '#/channels/events' },
        messages: names(clientMessages),
      },
      fromServer: { action: 'send', channel: { $ref: '#/channels/events' }, messages: names(serverMessages) },
    },
    components: { messages: { ...clientMessages, ...serverMessages } },
  };
}

function messagesOf(side: 'client' | 'server', frames: Readonly<Record<string, TSchema>>) {
  return Object.fromEntries(
    Object.entries(frames).map(([action, payload]) => {
      const name = `${side}.${action}`;
      return [name, { name: action, summary: ABOUT[name as keyof typeof ABOUT], payload }];
    }),
  );
}
