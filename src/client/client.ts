import type { Graph } from '../api/v2.ts';
import { fetchTransport } from './fetch-transport.ts';
import { brainClient, type BrainClient } from './http-client.ts';
import { RealtimeClient } from './realtime-client.ts';
import type { RealtimeOptions } from './realtime-options.ts';

// What `brain2/client` exports: for browsers and for Node, without a dependency.

export { allPages } from './all-pages.ts';
export { ApiError } from './http-client.ts';
export { RealtimeError } from './realtime-options.ts';
export type { BrainClient } from './http-client.ts';
export type { RealtimeClient } from './realtime-client.ts';
export type { RealtimeItem, RealtimeListener, RealtimeState } from './realtime-options.ts';
export type { EventFrame, Filter, NoticeFrame, Position } from '../api/realtime.ts';

export interface BrainOptions {
  /** Of the server, such as http://127.0.0.1:4321. */
  readonly url: string;
  /** An API token; not needed in local mode. It goes into headers alone, never into a URL. */
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
}

type EventOptions = Omit<RealtimeOptions<Graph>, 'url' | 'ticket' | 'snapshot'>;

/**
 * A Brain2 that is somewhere else: its HTTP API, typed, and what happens in it, as it happens.
 *
 * ```ts
 * const brain = connectBrain({ url: 'http://127.0.0.1:4321' })
 * await brain.http.nodes.create({ content: 'a thought' })
 * for await (const item of brain.events({ filter: { types: ['node.*'] } })) console.log(item)
 * ```
 */
export function connectBrain({ url, token, fetch }: BrainOptions): {
  readonly http: BrainClient;
  /** Not started: iterate it, or call `start`. Where the log cannot be read on it gives the graph as it is then. */
  events(options?: EventOptions): RealtimeClient<Graph>;
} {
  const http = brainClient(fetchTransport(url, { token, fetch }));
  return {
    http,
    events: (options = {}) =>
      new RealtimeClient<Graph>({
        ...options,
        url,
        ticket: async () => (await http.ticket()).ticket,
        snapshot: () => http.graph(),
      }),
  };
}
