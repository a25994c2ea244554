import { BrainError } from '../domain/error.ts';
import type { RealtimeNeeds } from '../http/v2/realtime.ts';
import type { Hub } from '../realtime/hub.ts';

/** The real-time side for the routes of HTTP: a stream of server-sent events is a session that cannot answer. */
export function realtimeNeeds(hub: Hub, { canStream }: { readonly canStream: boolean }): RealtimeNeeds {
  return {
    issueTicket: (principal) => hub.tickets.issue(principal),
    listen(stream, principal, opening) {
      if (!canStream) {
        const instead = 'use the socket, or ask GET /api/v2/changes';
        throw new BrainError('unavailable', `events are not streamed here: ${instead}`, {
          operation: 'http.events',
        });
      }
      const session = hub.accept(stream, { isTwoWay: false });
      if (!session) return undefined;
      void session.open(principal, opening);
      return () => session.gone(GONE);
    },
  };
}

/** How the end of a stream is counted that its reader left. */
const GONE = 1001;
