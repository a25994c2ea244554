import type { Position } from '../api/realtime.ts';
import { ItemQueue } from './item-queue.ts';
import type { RealtimeItem, RealtimeListener } from './realtime-options.ts';

const MOST_WAITING = 10_000;

/** Those who hear what a client hears: listeners, who are called, and iterations, which take items one by one. */
export class Audience<S extends Position> {
  readonly #listeners = new Set<RealtimeListener<S>>();
  readonly #queues = new Set<ItemQueue<RealtimeItem<S>>>();
  readonly #mostWaiting: number;
  readonly #onRoom: () => void;

  /** `onRoom` is called whenever something was taken and half of `mostWaiting` is free in each queue. */
  constructor(mostWaiting = MOST_WAITING, onRoom: () => void) {
    this.#mostWaiting = mostWaiting;
    this.#onRoom = onRoom;
  }

  /** Gives the way to end that. */
  add(listener: RealtimeListener<S>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  queue(): ItemQueue<RealtimeItem<S>> {
    const queue: ItemQueue<RealtimeItem<S>> = new ItemQueue({
      onTaken: () => this.#lookForRoom(),
      onLeft: () => {
        this.#queues.delete(queue);
        this.#lookForRoom();
      },
    });
    this.#queues.add(queue);
    return queue;
  }

  tell(call: (listener: RealtimeListener<S>) => void): void {
    for (const listener of this.#listeners) call(listener);
  }

  give(item: RealtimeItem<S>): void {
    for (const queue of this.#queues) queue.push(item);
    this.tell((listener) => listener.item?.(item));
  }

  get isFull(): boolean {
    return [...this.#queues].some((queue) => queue.size >= this.#mostWaiting);
  }

  /** Iterations end, with the error if there is one; listeners stay. */
  end(error: Error | undefined): void {
    for (const queue of this.#queues) queue.end(error);
    this.#queues.clear();
  }

  #lookForRoom(): void {
    if ([...this.#queues].every((queue) => queue.size <= this.#mostWaiting / 2)) this.#onRoom();
  }
}
