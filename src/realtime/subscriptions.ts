import { FRAME_LIMITS, type Filter, type ServerFrame } from '../api/realtime.ts';
import { BrainError } from '../domain/error.ts';
import { anyOf, matcherOf, NOTHING, type Matcher } from './filter.ts';

type Answer = Extract<ServerFrame, { action: 'subscribed' | 'unsubscribed' }>;

/** The filters of one session by their ids, and the answers that it owes for them. */
export class Subscriptions {
  readonly #byId = new Map<string, Matcher>();
  #owed: Answer[] = [];
  /** Lets pass what any of the filters lets pass. */
  matcher: Matcher = NOTHING;

  /** Throws `invalid` for a filter that nothing can fit, and `conflict` when there are too many. */
  set(id: string, filter: Filter): void {
    const matcher = matcherOf(filter);
    if (!this.#byId.has(id) && this.#byId.size >= FRAME_LIMITS.subscriptions)
      throw new BrainError(
        'conflict',
        `a connection has at most ${FRAME_LIMITS.subscriptions} subscriptions`,
      );
    this.#byId.set(id, matcher);
    this.matcher = anyOf([...this.#byId.values()]);
  }

  remove(id: string): void {
    this.#byId.delete(id);
    this.matcher = anyOf([...this.#byId.values()]);
  }

  owe(answer: Answer): void {
    this.#owed.push(answer);
  }

  pay(): readonly Answer[] {
    const owed = this.#owed;
    this.#owed = [];
    return owed;
  }
}
