import { EVENT_TYPES } from '../domain/event.ts';

/** What `Source` of the events on the bus is. */
export const EVENT_SOURCE = 'brain2';

/**
 * What the `DetailType` of an event on the bus can be: the types of the domain's events, and no others. The outbox
 * emits these, rules name these, and a test holds that each is emitted and each has its schema.
 */
export const DETAIL_TYPES: readonly string[] = EVENT_TYPES;

/** The call for somebody to run the jobs of an owner, `{owner}` in its detail. It is no event: it may come for nothing. */
export const JOB_CALL = { source: 'brain2.jobs', detailType: 'jobs.waiting' } as const;
