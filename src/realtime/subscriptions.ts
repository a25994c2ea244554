import { FRAME_LIMITS, type Filter, type ServerFrame } from '../api/realtime.ts';
import { BrainError } from '../domain/error.ts';
import { anyOf, matcherOf, NOTHING, type Matcher } from './filter.ts';

type Answer = Extract<ServerFrame, { action: 'subscribed' | 'unsubscribed' }>;

interface Subscription {
  readonly id: string;
  readonly matcher: Matcher;
}

/** The filters of one session by their ids, and the answers that it owes for them. */
export class Subscriptions {
  /** Nearly all sessions have one: a list is shorter than a map. */
  #held: readonly Subscription[] = [];
  #owed: readonly Answer[] = [];
  /** Lets pass what any of the filters lets pass. */
  matcher: Matcher = NOTHING;

  /** Throws `invalid` for a filter that nothing can fit, and `conflict` when there are too many. */
  set(id: string, filter: Filter): void {
    const matcher = matcherOf(filter);
    const others = this.#held.filter((one) => one.id !== id);
    if (others.length >= FRAME_LIMITS.subscriptions)
      throw new BrainError(
        'conflict',
        `a connection has at most ${FRAME_LIMITS.subscriptions} subscriptions`,
      );
    this.#hold([...others, { id, matcher }]);
  }

  remove(id: string): void {
    this.#hold(this.#held.filter((one) => one.id !== id));
  }

  owe(answer: Answer): void {
    this.#owed = [...this.#owed, answer];
  }

  pay(): readonly Answer[] {
    const owed = this.#owed;
    this.#owed = [];
    return owed;
  }

  #hold(held: readonly Subscription[]): void {
    this.#held = held;
    this.matcher = anyOf(held.map((one) => one.matcher));
  }
}
