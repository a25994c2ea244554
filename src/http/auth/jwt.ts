import { hash } from 'node:crypto';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { BrainError } from '../../domain/error.ts';
import { includedScopes, TOKEN_SCOPES, type TokenScope } from '../../domain/token.ts';
import { ownerId, type OwnerId } from '../../domain/values.ts';
import type { Authenticate, Principal } from '../../services/principal.ts';
import { ExpiringCache } from '../../shared/expiring-cache.ts';

export interface Issuer {
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
}

/** Signatures by a key that only the issuer has. With a shared secret, or with none, anybody could make a token. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** Headers by which a token would bring its own key, or say where to fetch it. */
const OWN_KEYS = ['jwk', 'jku', 'x5u', 'x5c'] as const;
const CLOCK_SKEW_S = 30;
/** Unknown key ids make the keys be fetched anew at most this often. */
const COOLDOWN_MS = 30_000;
const FETCH_TIMEOUT_MS = 3_000;
/** While the issuer does not answer it is asked this often. */
const RETRY_MS = 2_000;
/** A token is verified once in this time. */
const CACHE_MS = 30_000;
const CACHED_TOKENS = 10_000;
const OWN_SCOPE = /^(?:brain2[:./])?(read|write|admin)$/;

/** Takes the JWTs of one issuer for one audience. Throws `unauthenticated`, or `unavailable` while its keys are. */
export function jwtAuthentication(needs: Issuer & { readonly nowMs: () => number }): Authenticate {
  const { issuer, audience, nowMs } = needs;
  const keyOf = issuerKeys(needs);
  const cache = new ExpiringCache<Principal>({ limit: CACHED_TOKENS, nowMs });

  async function verify(credential: string, digest: string): Promise<Principal> {
    const { payload } = await jwtVerify(credential, keyOf, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_SKEW_S,
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(nowMs()),
    }).catch(refuse);
    const principal = principalOf(payload);
    cache.set(digest, principal, Math.min(nowMs() + CACHE_MS, principal.expiresAtMs ?? 0));
    return principal;
  }

  return (credential) => {
    if (credential === undefined)
      throw unauthenticated('send a token of your issuer: Authorization: Bearer …');
    const digest = hash('sha256', credential, 'base64url');
    return cache.get(digest) ?? verify(credential, digest);
  };
}

/** The issuer's keys: fetched when one is missing, not oftener than the cooldown, nor while the issuer is down. */
function issuerKeys({
  jwksUrl,
  nowMs,
}: Pick<Issuer, 'jwksUrl'> & { readonly nowMs: () => number }): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(jwksUrl), {
    cooldownDuration: COOLDOWN_MS,
    timeoutDuration: FETCH_TIMEOUT_MS,
  });
  let failedAtMs = -Infinity;
  return async (header, token) => {
    if (OWN_KEYS.some((name) => name in header)) throw unauthenticated('a token brings no keys of its own');
    if (nowMs() - failedAtMs < RETRY_MS) {
      const known = remote.fresh ? remote.jwks() : undefined;
      if (!known) throw unavailable();
      return createLocalJWKSet(known)(header, token);
    }
    try {
      return await remote(header, token);
    } catch (error) {
      if (isOfToken(error)) throw error;
      failedAtMs = nowMs();
      throw unavailable(error);
    }
  };
}

/** What is wrong with the token, and not with fetching the keys. */
function isOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function refuse(error: unknown): never {
  if (error instanceof BrainError) throw error;
  const reason = error instanceof errors.JWTExpired ? 'it has ended' : reasonOf(error);
  throw unauthenticated(`this token is not valid: ${reason}`, error);
}

/** Only claims are named: why a signature is refused is nobody's business. */
function reasonOf(error: unknown): string {
  return error instanceof errors.JWTClaimValidationFailed
    ? `its ${error.claim} is not accepted`
    : 'its signature or form is not accepted';
}

function principalOf(payload: JWTPayload): Principal {
  return {
    owner: ownerOf(payload.sub ?? ''),
    scopes: scopesOf(payload),
    expiresAtMs: ((payload.exp ?? 0) + CLOCK_SKEW_S) * 1000,
  };
}

/** The subject itself where it can be the name of an owner; else, or where it looks like one of these, its digest. */
function ownerOf(subject: string): OwnerId {
  if (subject === '') throw unauthenticated('the token names no subject');
  try {
    if (!subject.startsWith('sub:')) return ownerId(subject);
  } catch {
    // of another form: an email address with a plus, a URL
  }
  return ownerId(`sub:${hash('sha256', subject, 'base64url')}`);
}

/** Those that `scope` or `scp` names; a token without either is of a person who signed in, who reads and writes. */
function scopesOf({ scope, scp }: JWTPayload): readonly TokenScope[] {
  const claim = scope ?? scp;
  if (claim === undefined) return ['read', 'write'];
  const words: readonly unknown[] = Array.isArray(claim)
    ? claim
    : typeof claim === 'string'
      ? claim.split(' ')
      : [];
  const named = new Set(words.map((word) => typeof word === 'string' && OWN_SCOPE.exec(word)?.[1]));
  return includedScopes(TOKEN_SCOPES.filter((one) => named.has(one)));
}

const unauthenticated = (message: string, cause?: unknown): BrainError =>
  new BrainError('unauthenticated', message, { cause, operation: 'jwt.verify' });

const unavailable = (cause?: unknown): BrainError =>
  new BrainError('unavailable', 'the keys of the issuer of tokens cannot be fetched; try again', {
    cause,
    operation: 'jwt.keys',
  });
