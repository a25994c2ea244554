import type { OwnerId } from '../domain/values.ts';

export interface ByteRange {
  readonly start: number;
  /** The first byte that is not wanted any more. */
  readonly end: number;
}

/**
 * Bytes that are too many for a row: what a job was given, and what it made. They are written once, and gone some time
 * after their job (`BLOB_KEPT_DAYS`), if nobody removes them before.
 */
export interface Blobs {
  /**
   * Keeps the bytes as they come: durable when it resolves with their number, and not there before, nor if it fails.
   * Throws what `bytes` throws, and `storage_full`, `read_only`, `unavailable`.
   */
  write(owner: OwnerId, id: string, bytes: AsyncIterable<Uint8Array>): Promise<number>;
  /** How many there are; undefined where there is no such blob. */
  size(owner: OwnerId, id: string): Promise<number | undefined>;
  /** All of them, or those of the range. Throws `not_found`. */
  read(owner: OwnerId, id: string, range?: ByteRange): AsyncIterable<Uint8Array>;
  /** The file that holds them, where one does: for a thread that reads it by itself. */
  pathOf?(owner: OwnerId, id: string): string;
  /** Also where there is none. */
  remove(owner: OwnerId, id: string): Promise<void>;
}

/** Longer than the job that the bytes are of is kept, however long it took. */
export const BLOB_KEPT_DAYS = 30;
