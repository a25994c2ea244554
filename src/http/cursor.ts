import { createHmac, timingSafeEqual } from 'node:crypto';
import { BrainError } from '../domain/error.ts';

const SIGNATURE_BYTES = 16;

/** Cursors are opaque to callers: where to go on, for one list with one filter, signed so that none can be made up. */
export interface Cursors {
  /** `list` names the list and its filter; a cursor of one is refused by another. */
  seal(list: string, at: string): string;
  /** Throws `malformed` for a cursor that was not made here, or for another list. */
  open(list: string, cursor: string): string;
}

export function cursors(key: Uint8Array): Cursors {
  const sign = (list: string, at: string): Buffer =>
    createHmac('sha256', key).update(`${list}\n${at}`).digest().subarray(0, SIGNATURE_BYTES);
  return {
    seal: (list, at) => Buffer.concat([sign(list, at), Buffer.from(at)]).toString('base64url'),
    open(list, cursor) {
      const bytes = Buffer.from(cursor, 'base64url');
      const at = bytes.toString('utf8', SIGNATURE_BYTES);
      const given = bytes.subarray(0, SIGNATURE_BYTES);
      if (given.length !== SIGNATURE_BYTES || !timingSafeEqual(given, sign(list, at))) {
        throw new BrainError(
          'malformed',
          'this cursor is not of this list; take the one that the last page gave',
          {
            operation: 'http.cursor',
          },
        );
      }
      return at;
    },
  };
}
