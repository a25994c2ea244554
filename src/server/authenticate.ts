import { localAuthentication } from '../http/auth/local.ts';
import { orOperator } from '../http/auth/operator.ts';
import type { Access } from '../http/app.ts';
import type { Quota, RateLimits } from '../http/rate-limit.ts';
import { ownerId, type OwnerId } from '../domain/values.ts';
import type { Authenticate, Principal } from '../services/principal.ts';
import type { Services } from '../services/services.ts';
import type { Settings } from './settings.ts';

/** Who owns everything where nobody is asked who they are; `brain2 token create` makes tokens for them by default. */
export const LOCAL_OWNER: OwnerId = ownerId('local');

/** A machine's own programs are slowed down by nothing but one that went wild. */
const LOCAL_RATE: Quota = { requests: 100_000, seconds: 1 };
const RATE: Quota = { requests: 6_000, seconds: 60 };
/** So many tokens of one owner can be used to their limits at a time. */
const TOKENS_AT_ONCE = 5;

/** Whom the API serves, by the settings. */
export async function accessOf(
  settings: Settings,
  needs: {
    readonly services: Pick<Services, 'owners' | 'tokens'>;
    readonly operatorKey: Uint8Array;
    readonly nowMs: () => number;
  },
): Promise<Access> {
  const { owners } = needs.services;
  const verify = orOperator(needs.operatorKey, await chosen(settings, needs));
  const rateLimits = rateLimitsOf(settings, needs.nowMs);
  const met = (principal: Principal) => owners.meet(principal.owner)?.then(() => principal) ?? principal;
  return {
    authenticate(credential) {
      const known = verify(credential);
      return known instanceof Promise ? known.then(met) : met(known);
    },
    isLocal: settings.auth === 'local',
    allowedOrigins: settings.allowedOrigins,
    trustProxy: settings.trustProxy,
    ...(rateLimits && { rateLimits }),
  };
}

async function chosen(
  settings: Settings,
  { services, nowMs }: { readonly services: Pick<Services, 'tokens'>; readonly nowMs: () => number },
): Promise<Authenticate> {
  switch (settings.auth) {
    case 'local':
      return localAuthentication(LOCAL_OWNER);
    case 'token':
      return services.tokens.authenticate;
    case 'jwt': {
      const { jwtAuthentication } = await import('../http/auth/jwt.ts'); // others need none of it
      const { jwksUrl = '', jwtIssuer = '', jwtAudience = '' } = settings;
      return jwtAuthentication({ jwksUrl, issuer: jwtIssuer, audience: jwtAudience, nowMs });
    }
  }
}

function rateLimitsOf({ auth, rateLimit }: Settings, nowMs: () => number): RateLimits | undefined {
  const quota = rateLimit ?? (auth === 'local' ? LOCAL_RATE : RATE);
  if (quota === 'off') return undefined;
  if (auth !== 'token') return { owner: quota, nowMs };
  return { token: quota, owner: { ...quota, requests: quota.requests * TOKENS_AT_ONCE }, nowMs };
}
