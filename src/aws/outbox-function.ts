import type { OwnerId } from '../domain/values.ts';
import { mapConcurrent } from '../shared/map-concurrent.ts';
import { refuseUnfinished } from '../storage/copy-table.ts';
import { pks } from '../storage/keys.ts';
import type { BatchAnswer, StreamEvent } from './events.ts';
import { Outbox } from './outbox.ts';
import type { Parts } from './parts.ts';

const OWNERS_AT_ONCE = 8;
const LOG_SUFFIX = pks.log('' as OwnerId);

/**
 * Woken by the table's stream: whose log has grown. Only that is taken from it, for the stream keeps no order across
 * items; what is put on the bus is read from the log itself. Throws `conflict` while a migration fills the table, whose
 * positions are copied too: the stream comes again.
 */
export function outboxFunction(parts: Parts): (event: StreamEvent) => Promise<BatchAnswer> {
  const { log, table, inContext } = parts;
  const outbox = outboxOf(parts);
  return async ({ Records }) => {
    await refuseUnfinished(table);
    const first = new Map<OwnerId, string>();
    for (const { dynamodb } of Records) {
      const pk = dynamodb?.Keys?.['pk']?.S ?? '';
      const owner = pk.slice(0, -LOG_SUFFIX.length) as OwnerId;
      if (pk.endsWith(LOG_SUFFIX) && !first.has(owner)) first.set(owner, dynamodb?.SequenceNumber ?? '');
    }
    const outcomes = await mapConcurrent(
      first,
      { limit: OWNERS_AT_ONCE, timeoutMs: Infinity },
      ([owner, sequenceNumber]) =>
        inContext(owner, async () => {
          try {
            await outbox.publish(owner);
            return undefined;
          } catch (err) {
            log.error({ err }, 'events could not be put on the bus');
            return sequenceNumber;
          }
        }),
    );
    const batchItemFailures = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' && outcome.value !== undefined
        ? [{ itemIdentifier: outcome.value }]
        : [],
    );
    return { batchItemFailures };
  };
}

/** The outbox as the functions have it. */
export function outboxOf({ table, store, eventBus: bus, log }: Parts): Outbox {
  return new Outbox({
    table,
    store,
    bus,
    onLost: (owner, from, to) =>
      log.error({ owner, from: from.seq, to: to.seq }, 'events were trimmed before the bus was given them'),
  });
}
