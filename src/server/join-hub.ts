import type { Job } from '../domain/job.ts';
import type { Notice } from '../domain/notice.ts';
import { Hub, type HubNeeds } from '../realtime/hub.ts';
import { SharedTickets } from '../realtime/shared-tickets.ts';
import type { Services } from '../services/services.ts';
import type { Store } from '../storage/store.ts';
import type { Engine } from './engine.ts';
import { socketsOfOwner, type Settings } from './settings.ts';

interface JoinNeeds extends Pick<HubNeeds, 'authenticate' | 'newId'> {
  readonly settings: Settings;
  readonly store: Store;
  readonly services: Services;
  readonly nowMs: () => number;
}

/**
 * The hub over the log of the store; it is told of jobs as well. Where other processes serve the same graphs, their
 * commits are heard and their tickets taken.
 */
export function joinHub({ table, pollMs }: Engine, needs: JoinNeeds): Hub {
  const { settings, store, services, nowMs, authenticate, newId } = needs;
  const hub = new Hub({
    log: store,
    follow: (owner) => store.follow(owner),
    tickets: pollMs === undefined ? undefined : new SharedTickets({ table, nowMs }),
    authenticate,
    newId,
    tokens: services.tokens,
    limits: { connectionsOfOwner: socketsOfOwner(settings) },
  });
  services.jobs.onChange((job) => hub.tell(job.owner, noticeOf(job)));
  return hub;
}

function noticeOf({ id: jobId, kind, status, progress, updatedAt: at }: Job): Notice {
  return { type: 'job.progress', jobId, kind, status, progress, at };
}
