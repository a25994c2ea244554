import type { OwnerId } from '../domain/values.ts';
import { openBrain } from '../server/brain.ts';
import { within } from '../shared/within.ts';
import type { HttpAnswer, HttpEvent } from './events.ts';
import { openFunctionEngine } from './function-engine.ts';
import { answerEvent } from './http-adapter.ts';
import { jobCalls } from './job-calls.ts';
import type { Parts } from './parts.ts';

/** The caller waits for the posts to the sockets, for the process is frozen after the answer; but no longer than this. */
const DELIVERY_MS = 2_000;
/**
 * In the indexes that stay in memory, beside the one used last: an index of 50,000 notes takes 0.7 GB while it is opened
 * (docs/design/performance.md), and the function has 1.8.
 */
const MOST_NOTES = 20_000;

/** The function of the HTTP API: the same application as a server's. */
export async function httpFunction(parts: Parts): Promise<{
  readonly handler: (event: HttpEvent) => Promise<HttpAnswer>;
  readonly close: () => Promise<void>;
}> {
  const { settings, delivery, log, nowMs, inContext } = parts;
  const engine = await openFunctionEngine(parts, nowMs);
  const calls = jobCalls(parts);
  const brain = await openBrain(settings, { engine, nowMs, handOver: calls.note });
  const committed = new Set<OwnerId>();
  brain.store.onCommit(({ owner }) => committed.add(owner));

  /** What fails here is made good by the repair: the events are in the log. */
  const tell = async (owner: OwnerId): Promise<void> => {
    try {
      await delivery.toOwner(owner);
    } catch (err) {
      log.warn({ err }, 'events could not be posted');
    }
  };

  return {
    async handler(event) {
      const answer = await answerEvent(brain.app, event);
      const owners = [...committed];
      committed.clear();
      const told = Promise.all([calls.send(), ...owners.map((owner) => inContext(owner, () => tell(owner)))]);
      await within<unknown>(DELIVERY_MS, told, () => undefined);
      try {
        await brain.services.deprecatedCalls.flush();
      } catch (err) {
        log.warn({ err }, 'calls of deprecated routes are counted later'); // what was asked is done all the same
      }
      await brain.services.indexes.keepWithin(MOST_NOTES);
      return answer;
    },
    close: () => brain.close(),
  };
}
