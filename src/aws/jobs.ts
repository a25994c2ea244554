import { ownerId } from '../domain/values.ts';
import { openBrain } from '../server/brain.ts';
import { within } from '../shared/within.ts';
import { refuseUnfinished } from '../storage/copy-table.ts';
import type { BusEvent, FunctionContext } from './events.ts';
import { openFunctionEngine } from './function-engine.ts';
import { jobCalls } from './job-calls.ts';
import { keepIndex } from './keep-index.ts';
import type { Parts } from './parts.ts';

/** What runs is left off when only so much time is left: how far it is has to be stored, and the index after it. */
const LEAVE_MS = 60_000;

/**
 * Woken where jobs of an owner wait: runs them until there are none, or until its time is over; then it calls for
 * another run, which goes on with them. Called twice, or beside another, it does nothing twice.
 */
export async function jobsFunction(parts: Parts): Promise<{
  readonly handler: (event: BusEvent, context: FunctionContext) => Promise<void>;
  readonly close: () => Promise<void>;
}> {
  const { settings, table, nowMs } = parts;
  const calls = jobCalls(parts);
  const engine = await openFunctionEngine(parts, nowMs);
  const brain = await openBrain(settings, { engine, nowMs });
  const { jobs, indexes } = brain.services;

  return {
    async handler({ detail }, context) {
      await refuseUnfinished(table); // this process may have begun before the migration did
      const owner = ownerId(detail.owner);
      await brain.inBackground(owner, async () => {
        await jobs.resume(owner);
        const timeMs = Math.max(0, context.getRemainingTimeInMillis() - LEAVE_MS);
        const isDone = await within(
          timeMs,
          jobs.idle().then(() => true),
          () => false,
        );
        if (!isDone) {
          await jobs.leaveOff();
          calls.note(owner);
          await calls.send();
        }
        await keepIndex(brain, parts, owner);
        await indexes.keepWithin(0);
      });
    },
    close: () => brain.close(),
  };
}
