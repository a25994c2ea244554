import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Ticket, type Filter } from '../../api/realtime.ts';
import { BrainError } from '../../domain/error.ts';
import type { Position } from '../../domain/values.ts';
import type { Principal } from '../../services/principal.ts';
import { refuseKey } from '../idempotency.ts';

/** What is listened to: the frames of `brain2.v1`, one at a time. */
export interface EventStream {
  send(frame: Uint8Array, about: { readonly action: string; readonly position?: Position | undefined }): void;
  readonly bufferedAmount: number;
  close(): void;
}

/** The real-time side, as the routes need it. */
export interface RealtimeNeeds {
  issueTicket(principal: Principal): Promise<Ticket>;
  /** Begins to send; gives the way to tell that the peer is gone, or undefined when there are too many. */
  listen(
    stream: EventStream,
    principal: Principal,
    opening: { readonly resume?: Position | undefined; readonly filter?: Filter | undefined },
  ): (() => void) | undefined;
}

/** A reader that does not take the end of its stream is cut off: it would keep the connection, and a server from its end. */
const CLOSE_MS = 3_000;

const list = (description: string) => Type.Optional(Type.String({ maxLength: 20_000, description }));
const EventsQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        maxLength: 100,
        description: '<epoch>-<seq>: what comes after it; without it, what is new',
      }),
    ),
    types: list('with commas between them: node.*, edge.created'),
    nodeIds: list('with commas between them'),
    tags: list('with commas between them'),
    categories: list('with commas between them'),
  },
  { additionalProperties: false },
);

/** Where the socket is not used: its tickets, and the same events as a stream that any HTTP client can read. */
export const realtimeRoutes =
  ({ realtime }: { readonly realtime: RealtimeNeeds }): Routes =>
  async (app) => {
    app.post(
      '/ws/tickets',
      {
        config: { access: 'read' }, // whoever has it can only listen
        schema: {
          operationId: 'createSocketTicket',
          summary: 'Admit one connection to the socket',
          description:
            'A ticket for the `hello` of one WebSocket at `/ws`, good once and for half a minute, so that no token stands in a URL.',
          tags: ['events'],
          response: { 201: Ticket },
        },
      },
      async (request, reply) => {
        refuseKey(request, 'each ticket is another one');
        reply.code(201).header('cache-control', 'no-store');
        return realtime.issueTicket(principalOf(request));
      },
    );

    app.get(
      '/events',
      {
        schema: {
          operationId: 'streamEvents',
          summary: 'Hear what happens, as it happens',
          description:
            'Server-sent events: an event has no name and the `id` from which `Last-Event-ID` resumes; every other frame comes under its action. The frames are those of the socket, in docs/asyncapi.json.',
          tags: ['events'],
          takes: ['last-event-id'],
          isEventStream: true,
          querystring: EventsQuery,
        },
      },
      async (request, reply) => {
        const { after, ...filter } = request.query;
        const from = request.headers['last-event-id'] ?? after;
        const opening = { resume: positionOf(one(from)), filter: filterOf(filter) };
        const body = new PassThrough({ highWaterMark: 0 });
        const stop = realtime.listen(streamOf(body, reply.raw), principalOf(request), opening);
        if (!stop)
          throw new BrainError('unavailable', 'there are too many connections', { operation: 'http.events' });
        // Not the answer's own close: its reader may be gone already, and then that does not come again.
        body.on('close', stop);
        return reply
          .header('content-type', 'text/event-stream; charset=utf-8')
          .header('cache-control', 'no-store')
          .header('x-accel-buffering', 'no')
          .send(body);
      },
    );
  };

/** Whom the request acts for, with the scopes and the end of its own credential. */
function principalOf({ principal }: FastifyRequest): Principal {
  if (!principal) throw new Error('the request was not authenticated');
  return principal;
}

/** Events come without a name, so `onmessage` gets them and nothing else; every other frame comes under its action. */
function streamOf(body: PassThrough, raw: ServerResponse): EventStream {
  return {
    send(frame, { action, position }) {
      if (body.writableEnded) return;
      const name = action === 'event' ? '' : `event: ${action}\n`;
      const id = position === undefined ? '' : `id: ${position.epoch}-${position.seq}\n`;
      body.write(`${id}${name}data: ${Buffer.from(frame).toString()}\n\n`);
    },
    get bufferedAmount() {
      return body.writableLength + body.readableLength + raw.writableLength;
    },
    close() {
      body.end();
      const timer = setTimeout(() => raw.destroy(), CLOSE_MS);
      raw.once('close', () => clearTimeout(timer));
    },
  };
}

function filterOf(query: Readonly<Record<string, string | undefined>>): Filter {
  const given = Object.entries(query).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text.split(',').filter((part) => part !== '')] as const],
  );
  return Object.fromEntries(given);
}

/** Throws `malformed` for what is no position; an epoch may itself have hyphens. */
function positionOf(text: string | undefined): Position | undefined {
  if (text === undefined || text === '') return undefined;
  const [, epoch = '', seq] = /^(.{0,64})-(\d{1,15})$/.exec(text) ?? [];
  if (seq === undefined)
    throw new BrainError('malformed', `a position is <epoch>-<seq>, not "${text.slice(0, 100)}"`, {
      operation: 'http.events',
    });
  return { epoch, seq: Number(seq) };
}

const one = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
