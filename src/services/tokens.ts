import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { BrainError } from '../domain/error.ts';
import { createToken, includedScopes, type ApiToken, type TokenInput } from '../domain/token.ts';
import { tokenId, type OwnerId, type TokenId } from '../domain/values.ts';
import { ExpiringCache } from '../shared/expiring-cache.ts';
import type { Store } from '../storage/store.ts';
import { register } from './owners.ts';
import type { Authenticate, Principal } from './principal.ts';
import type { Keep } from './receipts.ts';

/** A token and, this once, its secret. */
export interface NewToken {
  readonly token: ApiToken;
  readonly secret: string;
}

/** Begins every secret, so that scanners for leaked ones find it. */
const PREFIX = 'b2t_';
const SECRET_BYTES = 32;
/** A revocation by another process is honoured by requests after this time at most; one by this process at once. */
const CACHE_MS = 10_000;
const CACHED_TOKENS = 10_000;

export type TokenService = ReturnType<typeof tokenService>;

/** API tokens: scoped, ending, revocable; of their secrets only hashes are stored. */
export function tokenService(needs: {
  readonly store: Store;
  readonly newTokenId: () => TokenId;
  readonly nowMs: () => number;
}) {
  const { store, nowMs } = needs;
  const cache = new ExpiringCache<Principal>({ limit: CACHED_TOKENS, nowMs });
  /** Raised by each revocation: what was read before one is not cached after it. */
  let revocations = 0;
  const listeners = new Set<(tokenId: string) => void>();

  async function verify(secretHash: string): Promise<Principal> {
    const before = revocations;
    const found = await store.directory.tokenAt(secretHash);
    const token = found && (await store.read(found.owner).tokens.find(found.id));
    if (!token || !isEqual(token.hash, secretHash)) throw unknown();
    const principal = notEnded(principalOf(token));
    if (before === revocations) cache.set(secretHash, principal, nowMs() + CACHE_MS);
    return principal;
  }

  function notEnded(principal: Principal): Principal {
    if ((principal.expiresAtMs ?? Infinity) <= nowMs()) throw unknown();
    return principal;
  }

  /** Throws `unauthenticated`. A token that was verified is not looked up again for some seconds. */
  const authenticate: Authenticate = (credential) => {
    if (credential === undefined) throw unauthenticated('send a token: Authorization: Bearer b2t_…');
    const secretHash = hashOf(credential);
    const known = cache.get(secretHash);
    return known ? notEnded(known) : verify(secretHash);
  };

  return {
    authenticate,

    /** Makes a token for the owner, who comes into being by that. Throws `invalid`. */
    async create(owner: OwnerId, input: TokenInput, keep?: Keep<NewToken>): Promise<NewToken> {
      const secret = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
      const id = needs.newTokenId();
      return store.write(owner, async (tx) => {
        const token = createToken(input, { id, owner, hash: hashOf(secret), now: tx.now });
        tx.tokens.replace(undefined, token);
        await register(tx);
        await keep?.(tx, { token, secret });
        return { token, secret };
      });
    },

    /** Throws `not_found`. */
    get: (owner: OwnerId, id: TokenId): Promise<ApiToken> => store.read(owner).tokens.get(id),

    list: (owner: OwnerId): Promise<readonly ApiToken[]> => Array.fromAsync(store.read(owner).tokens.all()),

    /** From the answer on the token opens nothing. Throws `not_found`. */
    async revoke(owner: OwnerId, id: TokenId): Promise<void> {
      const revoked = await store.write(owner, async (tx) => {
        const token = await tx.tokens.get(id);
        tx.tokens.replace(token, undefined);
        return token;
      });
      revocations += 1;
      cache.delete(revoked.hash);
      for (const listener of listeners) listener(id);
    },

    /** Calls back with each token that this process revokes. Gives the way to end that. */
    onRevoked(listener: (tokenId: string) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    /** Whether a token was not revoked, by whomever: it is read, not remembered. */
    async stands(owner: OwnerId, id: string): Promise<boolean> {
      return (await store.read(owner).tokens.find(tokenId(id))) !== undefined;
    },
  };
}

function principalOf({ owner, id, scopes, expiresAt }: ApiToken): Principal {
  return {
    owner,
    tokenId: id,
    scopes: includedScopes(scopes),
    ...(expiresAt !== undefined && { expiresAtMs: Date.parse(expiresAt) }),
  };
}

/** The secret has 256 random bits, so one round of a fast hash is as good as many of a slow one. */
function hashOf(secret: string): string {
  return hash('sha256', secret, 'hex');
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

const unknown = (): BrainError => unauthenticated('this token is unknown, ended or revoked');

const unauthenticated = (message: string): BrainError =>
  new BrainError('unauthenticated', message, { operation: 'token.verify' });
