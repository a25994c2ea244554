import type { FastifyInstance } from 'fastify';
import { BrainError } from '../domain/error.ts';

/** So many requests in so many seconds. */
export interface Quota {
  readonly requests: number;
  readonly seconds: number;
}

export interface RateLimits {
  /** Of one API token. */
  readonly token?: Quota | undefined;
  /** Of all that one owner sends. */
  readonly owner: Quota;
  readonly nowMs: () => number;
}

/** Buckets kept in memory. The one that was not used for longest goes, which lets its owner begin anew. */
const MOST_BUCKETS = 50_000;

/** What is left to one caller under one policy. */
interface Bucket {
  left: number;
  atMs: number;
}

/** A policy by its name, with a bucket for each caller that fills evenly up to the quota. */
class Policy {
  readonly text: string;
  readonly #name: string;
  readonly #quota: Quota;
  readonly #perMs: number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();
  #usedLast: Bucket | undefined;

  constructor(name: string, quota: Quota) {
    this.#name = name;
    this.#quota = quota;
    this.#perMs = quota.requests / (quota.seconds * 1000);
    this.text = `"${name}";q=${quota.requests};w=${quota.seconds}`;
  }

  /** The caller's bucket as it is now. */
  fill(caller: string, nowMs: number): Bucket {
    const bucket = this.#buckets.get(caller) ?? { left: this.#quota.requests, atMs: nowMs };
    const earned = Math.max(0, nowMs - bucket.atMs) * this.#perMs;
    bucket.left = Math.min(this.#quota.requests, bucket.left + earned);
    bucket.atMs = nowMs;
    if (bucket !== this.#usedLast) this.#putLast(caller, bucket);
    return bucket;
  }

  /** Whole seconds until one more request is possible than is now. */
  secondsToNext({ left }: Bucket): number {
    const missing = Math.min(this.#quota.requests, Math.floor(left) + 1) - left;
    return Math.ceil(missing / this.#perMs / 1000);
  }

  /** Whole seconds until there is room for a request. */
  secondsUntil(bucket: Bucket): number {
    return bucket.left < 1 ? this.secondsToNext(bucket) : 0;
  }

  /** The state of a bucket as an item of the `RateLimit` header. */
  tell(bucket: Bucket): string {
    return `"${this.#name}";r=${Math.floor(bucket.left)};t=${this.secondsToNext(bucket)}`;
  }

  #putLast(caller: string, bucket: Bucket): void {
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    this.#usedLast = bucket;
    if (this.#buckets.size <= MOST_BUCKETS) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/**
 * Counts what each token and each owner sends, and refuses what is above the quota; every answer says what is left
 * (draft-ietf-httpapi-ratelimit-headers-11). Routes that ask nobody who they are, such as health, are not counted.
 */
export function useRateLimits(app: FastifyInstance, limits: RateLimits): void {
  const ofToken = limits.token && new Policy('token', limits.token);
  const ofOwner = new Policy('owner', limits.owner);
  app.addHook('onRequest', (request, reply, done) => {
    const { principal } = request;
    if (!principal) return done();
    const now = limits.nowMs();
    const { owner, tokenId } = principal;
    const owners = ofOwner.fill(owner, now);
    const tokens = ofToken && tokenId !== undefined ? ofToken.fill(tokenId, now) : undefined;
    const isEmpty = owners.left < 1 || (tokens !== undefined && tokens.left < 1);
    if (!isEmpty) {
      owners.left -= 1;
      if (tokens) tokens.left -= 1;
    }
    const told = ofOwner.tell(owners);
    reply.header('ratelimit-policy', ofToken && tokens ? `${ofToken.text}, ${ofOwner.text}` : ofOwner.text);
    reply.header('ratelimit', ofToken && tokens ? `${ofToken.tell(tokens)}, ${told}` : told);
    if (!isEmpty) return done();
    const seconds = Math.max(ofOwner.secondsUntil(owners), (tokens && ofToken?.secondsUntil(tokens)) ?? 0);
    reply.header('retry-after', seconds);
    done(
      new BrainError('rate_limited', `too many requests; one more is possible in ${seconds} s`, {
        operation: 'http.limit',
      }),
    );
  });
}
