import type { OwnerId } from '../domain/values.ts';
import { openBrain } from '../server/brain.ts';
import { trimming } from '../server/upkeep.ts';
import { mapConcurrent } from '../shared/map-concurrent.ts';
import { refuseUnfinished } from '../storage/copy-table.ts';
import { pks } from '../storage/keys.ts';
import type { FunctionContext } from './events.ts';
import { openFunctionEngine } from './function-engine.ts';
import type { Parts } from './parts.ts';
import { jobCalls } from './job-calls.ts';
import { keepIndex } from './keep-index.ts';
import { outboxOf } from './outbox-function.ts';

/** Nothing new is begun when no more time is left: the index of a large graph takes seconds to make and to store. */
const RESERVE_MS = 60_000;
/** An owner is left alone when only so much is left: the place is still to be stored, or each run would end at that owner. */
const LEAVE_MS = 10_000;
const OWNERS_A_PAGE = 50;
/** The name of what is kept from one run to the next: where in the list of owners it was. */
const PLACE = { pk: 'UPKEEP', sk: '-' };

/**
 * What a server's timer does now and then, for all owners in turn: work that a cut-off import left is done, jobs that
 * nobody runs are called for, the log is trimmed, events that the bus was not given go there, and an index whose tail has
 * grown long is stored. It goes on where the last run stopped.
 */
export async function upkeepFunction(parts: Parts): Promise<{
  readonly handler: (event: unknown, context: FunctionContext) => Promise<void>;
  readonly close: () => Promise<void>;
}> {
  const { settings, table, log, nowMs } = parts;
  const calls = jobCalls(parts);
  const engine = await openFunctionEngine(parts, nowMs);
  const brain = await openBrain(settings, { engine, nowMs, handOver: calls.note });
  const outbox = outboxOf(parts);
  const trim = trimming(brain.store, { settings, nowMs });

  const keepUp = async (owner: OwnerId, { signal }: { readonly signal: AbortSignal }): Promise<void> => {
    await brain.services.pending.finish(owner, { signal, spares: true });
    await brain.services.jobs.resume(owner);
    await calls.send();
    await trim(owner);
    if (await outbox.isBehind(owner)) await outbox.publish(owner);
    await keepIndex(brain, parts, owner);
    await brain.services.indexes.keepWithin(0);
  };

  /** What is not done in time goes on in the next run, or is cut off as by a crash. */
  const keepUpWithin = async (owner: OwnerId, timeoutMs: number): Promise<void> => {
    const [outcome] = await mapConcurrent([owner], { limit: 1, timeoutMs }, keepUp);
    if (outcome?.status === 'rejected') log.error({ err: outcome.reason as unknown }, 'upkeep failed');
  };

  return {
    async handler(_event, context) {
      await refuseUnfinished(table); // this process may have begun before the migration did
      const begunAfter = await placeOf(parts);
      let after = begunAfter;
      const hasTime = (): boolean => context.getRemainingTimeInMillis() > RESERVE_MS;
      for (let isWhole = false; !isWhole && hasTime();) {
        const { items, next } = await table.query(pks.owners(), { after, limit: OWNERS_A_PAGE });
        for (const { sk } of items) {
          if (!hasTime()) break;
          const owner = sk as OwnerId;
          const leftMs = Math.max(0, context.getRemainingTimeInMillis() - LEAVE_MS);
          await brain.inBackground(owner, () => keepUpWithin(owner, leftMs));
          after = sk;
        }
        isWhole = next === undefined && after === (items.at(-1)?.sk ?? after);
        if (isWhole) after = undefined; // the next run begins with the first again
      }
      if (after !== begunAfter) await storePlace(parts, after);
    },
    close: () => brain.close(),
  };
}

async function placeOf({ table }: Parts): Promise<string | undefined> {
  const item = await table.get(PLACE);
  return item && (JSON.parse(item.j) as { after?: string }).after;
}

async function storePlace({ table }: Parts, after: string | undefined): Promise<void> {
  await table.transact([[{ put: { ...PLACE, et: 'place.1', j: JSON.stringify({ after }) } }]]);
}
