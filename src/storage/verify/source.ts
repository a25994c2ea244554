import type { OwnerId } from '../../domain/values.ts';
import type { Key, TableReader } from '../table.ts';

/** What is read of a table at one moment. */
export interface AtRest {
  readonly reader: TableReader;
  /** The rows read so far that are not what was written, by their names; they are given as they are. */
  readonly damaged: ReadonlyMap<string, Key>;
}

/** What a check reads from. Nothing of it writes. */
export interface VerifySource {
  /** What the engine's own check finds wrong. */
  checkEngine(): readonly string[];
  /** Every partition there is, each once. */
  partitions(): AsyncIterable<string>;
  /**
   * Runs `read` on what is stored of an owner at one moment, whoever writes meanwhile; it may be run again. Throws
   * `contended` where others kept writing.
   */
  atRest<T>(owner: OwnerId, read: (from: AtRest) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
