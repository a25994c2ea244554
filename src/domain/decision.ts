/**
 * What a decision gives: the state before, the state after, and the events that lead from one to the other.
 * No `before`: it comes into being. No `after`: it is gone. No events: nothing changes and nothing is written.
 */
export interface Decision<T, E> {
  readonly before?: T | undefined;
  readonly after?: T | undefined;
  readonly events: readonly E[];
}

export function unchanged<T>(state: T): Decision<T, never> {
  return { before: state, after: state, events: [] };
}
