import { checkAll, refuse } from './error.ts';
import { instant, label, type Instant, type OwnerId, type TokenId } from './values.ts';

/** What a token may do, each including the ones before it: read, change, and manage tokens. */
export const TOKEN_SCOPES = ['read', 'write', 'admin'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** A key to the API of one owner. The secret is told once, to whoever made it; only its hash is kept. */
export interface ApiToken {
  readonly id: TokenId;
  readonly owner: OwnerId;
  readonly name: string;
  readonly scopes: readonly TokenScope[];
  /** SHA-256 of the secret, in hex. */
  readonly hash: string;
  readonly createdAt: Instant;
  /** Absent: it does not end by itself. */
  readonly expiresAt?: Instant | undefined;
}

export interface TokenInput {
  readonly name: string;
  readonly scopes?: readonly TokenScope[] | undefined;
  readonly expiresAt?: string | undefined;
}

/** Throws `invalid`: an empty name, no scope, an end that lies in the past. */
export function createToken(
  input: TokenInput,
  made: { readonly id: TokenId; readonly owner: OwnerId; readonly hash: string; readonly now: Instant },
): ApiToken {
  const { name, expiresAt } = checkAll({
    name: () => label(input.name, 'the name of a token'),
    expiresAt: () => (input.expiresAt === undefined ? undefined : checkEnd(input.expiresAt, made.now)),
  });
  const scopes = TOKEN_SCOPES.filter((scope) => (input.scopes ?? ['read', 'write']).includes(scope));
  if (scopes.length === 0) refuse('/scopes', 'count', 'a token has at least one scope');
  const { id, owner, hash, now } = made;
  return { id, owner, name, scopes, hash, createdAt: now, ...(expiresAt !== undefined && { expiresAt }) };
}

/** The scopes with those that they include. */
export function includedScopes(scopes: readonly TokenScope[]): readonly TokenScope[] {
  const highest = Math.max(...scopes.map((scope) => TOKEN_SCOPES.indexOf(scope)));
  return TOKEN_SCOPES.slice(0, highest + 1);
}

function checkEnd(text: string, now: Instant): Instant {
  const end = instant(text);
  if (end <= now) refuse('', 'past', 'the end of a token lies ahead');
  return end;
}
