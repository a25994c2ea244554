import { setTimeout as delay } from 'node:timers/promises';
import { BrainError } from '../../domain/error.ts';
import { dynamoError, verdictOn } from './dynamo-error.ts';

/** How long a call goes on when DynamoDB turns it away or does not answer. */
export interface PatienceLimits {
  /** From the first attempt to the last answer. */
  readonly deadlineMs: number;
  /** After this the attempt is given up, and its connection with it. */
  readonly attemptMs: number;
  readonly attempts: number;
  /** The first pause is random up to this; each further one up to twice the one before. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
}

export const PATIENCE: PatienceLimits = {
  deadlineMs: 8_000, // less than a request has: whoever waits hears what it was
  attemptMs: 3_000,
  attempts: 12,
  pauseMs: 25,
  longestPauseMs: 1_000,
};

/**
 * The attempts of one call. Pauses have full jitter: many that were turned away together come back apart
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export class Patience {
  readonly #operation: string;
  readonly #limits: PatienceLimits;
  readonly #endMs: number;
  #attempts = 0;
  #pauses = 0;
  #unsure = false;

  constructor(operation: string, limits: PatienceLimits) {
    this.#operation = operation;
    this.#limits = limits;
    this.#endMs = performance.now() + limits.deadlineMs;
  }

  /**
   * Sends a request until it is answered. What is not worth another attempt is thrown as it came. When there is none
   * left it throws `unavailable`, or `timeout` if an attempt whose answer never came may have been carried out.
   */
  async send<T>(request: (options: { readonly abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    for (;;) {
      this.#attempts += 1;
      try {
        return await this.#attempt(request);
      } catch (error) {
        const { retry, unsure } = verdictOn(error);
        this.#unsure ||= unsure;
        if (!retry) throw error;
        await this.pause(error);
      }
    }
  }

  /** Before the next attempt; `cause` is what keeps this one from being the last. */
  async pause(cause: unknown): Promise<void> {
    const { pauseMs, longestPauseMs, attempts } = this.#limits;
    const pause = Math.random() * Math.min(longestPauseMs, pauseMs * 2 ** this.#pauses);
    this.#pauses += 1;
    if (this.#attempts >= attempts || performance.now() + pause >= this.#endMs) throw this.#giveUp(cause);
    await delay(pause);
  }

  /** The last attempt brought something: the next one need not wait as long. */
  progressed(): void {
    this.#attempts = 0;
    this.#pauses = 0;
  }

  async #attempt<T>(request: (options: { readonly abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    const left = Math.max(1, this.#endMs - performance.now());
    const abort = new AbortController();
    const cut = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => {
        const late = Object.assign(new Error('no answer in time'), { name: 'TimeoutError' });
        abort.abort(late);
        cut.reject(late);
      },
      Math.min(this.#limits.attemptMs, left),
    );
    try {
      // Raced as well: an answer that began and then stopped is not ended by the signal.
      return await Promise.race([request({ abortSignal: abort.signal }), cut.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #giveUp(cause: unknown): BrainError {
    const options = { cause, operation: this.#operation, details: { attempts: this.#attempts } };
    if (!this.#unsure) {
      const { message } = dynamoError(cause, this.#operation);
      return new BrainError('unavailable', message, options);
    }
    const message = 'DynamoDB did not answer in time; what was asked of it may have been done all the same';
    return new BrainError('timeout', message, options);
  }
}
