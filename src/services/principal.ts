import type { OwnerId } from '../domain/values.ts';

export type Scope = 'read' | 'write' | 'admin';

/** Who a request or a socket acts for. */
export interface Principal {
  readonly owner: OwnerId;
  /** The API token in use; absent in local mode and for a JWT. */
  readonly tokenId?: string | undefined;
  readonly scopes: readonly Scope[];
  /** When the credential ends; absent when it does not. */
  readonly expiresAtMs?: number | undefined;
}

/**
 * Throws, or rejects with, `unauthenticated` for a credential that is missing, unknown, expired or revoked. Gives at once
 * whom it knows: nearly every request is of somebody who was here a moment ago.
 */
export type Authenticate = (credential: string | undefined) => Principal | Promise<Principal>;
