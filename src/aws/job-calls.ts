import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { OwnerId } from '../domain/values.ts';
import type { HandOver } from '../services/jobs.ts';
import { answerWithin } from './answer-within.ts';
import { JOB_CALL } from './detail-types.ts';
import type { Parts } from './parts.ts';

/** The caller of a request waits for it; what is not taken in time upkeep calls for again. */
const ANSWER_MS = 1_000;
/** EventBridge's own limit of one call. */
const ENTRIES_A_CALL = 10;

/** Calls for the function that runs jobs: those who store one are frozen, or gone, before it is done. */
export interface JobCalls {
  /** The owner's jobs wait. */
  readonly note: HandOver;
  /** Calls for whatever was noted. It never rejects: upkeep finds jobs that nobody was called for. */
  send(): Promise<void>;
}

export function jobCalls({ eventBus: bus, log }: Pick<Parts, 'eventBus' | 'log'>): JobCalls {
  const waiting = new Set<OwnerId>();
  let opened: Promise<(owners: readonly OwnerId[]) => Promise<number>> | undefined;
  return {
    note: (owner) => void waiting.add(owner),
    async send() {
      while (waiting.size > 0) {
        const owners = waiting.values().take(ENTRIES_A_CALL).toArray();
        for (const owner of owners) waiting.delete(owner);
        try {
          const put = await (opened ??= sender(bus)); // most requests ask for no job
          const refused = await put(owners);
          if (refused > 0)
            log.warn({ refused }, 'jobs wait for upkeep: the bus did not take every call for them');
        } catch (err) {
          log.warn({ err }, 'jobs wait for upkeep: nobody could be called for them');
        }
      }
    },
  };
}

/** Gives how many calls the bus did not take. */
async function sender(bus: string): Promise<(owners: readonly OwnerId[]) => Promise<number>> {
  const { EventBridgeClient: Client, PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
  const client: EventBridgeClient = new Client({ maxAttempts: 2, requestHandler: answerWithin(ANSWER_MS) });
  return async (owners) => {
    const Entries = owners.map((owner) => ({
      EventBusName: bus,
      Source: JOB_CALL.source,
      DetailType: JOB_CALL.detailType,
      Detail: JSON.stringify({ owner }),
    }));
    const { FailedEntryCount = 0 } = await client.send(new PutEventsCommand({ Entries }));
    return FailedEntryCount;
  };
}
