import { timingSafeEqual } from 'node:crypto';
import { BrainError } from '../../domain/error.ts';
import { ownerId } from '../../domain/values.ts';
import type { Authenticate } from '../../services/principal.ts';

// Whoever can read the data folder may stop the server and read everything in it. The operator's key, which lies there
// while a server runs, lets them manage its tokens without stopping it: the first token has to come from somewhere.

const PREFIX = 'b2o_';
const SEPARATOR = ':';

/** The credential with which the operator acts for an owner. */
export function operatorCredential(key: Uint8Array, owner: string): string {
  return `${PREFIX}${Buffer.from(key).toString('base64url')}${SEPARATOR}${owner}`;
}

/** Takes the operator's credential, in every way of authentication, and leaves others to `next`. */
export function orOperator(key: Uint8Array, next: Authenticate): Authenticate {
  return (credential) => {
    if (!credential?.startsWith(PREFIX)) return next(credential);
    const at = credential.indexOf(SEPARATOR);
    const given = Buffer.from(credential.slice(PREFIX.length, at), 'base64url');
    if (at < 0 || given.length !== key.length || !timingSafeEqual(given, key))
      throw new BrainError('unauthenticated', 'this is not the key of the running server', {
        operation: 'operator.verify',
      });
    const owner = ownerId(credential.slice(at + 1));
    return { owner, scopes: ['read', 'write', 'admin'] };
  };
}
