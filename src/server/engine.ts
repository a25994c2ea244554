import type { Blobs } from '../storage/blobs.ts';
import type { DataFolder } from '../storage/embedded/data-folder.ts';
import type { Table } from '../storage/table.ts';

/** What a Brain2 needs beside its table: where its files are, and what stays the same between its starts. */
type Home = Omit<DataFolder, 'databasePath' | 'ballastPath'>;

/** What a Brain2 stands on. The parts above know the table alone. */
export interface Engine {
  readonly table: Table;
  readonly home: Home;
  readonly blobs: Blobs;
  /** Whether what does the writing still runs. */
  canWrite(): boolean;
  /** Removes what has expired, where the engine does not do that by itself. Gives how many items there were. */
  sweep(): Promise<number>;
  /** For `/health`. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** How often to look for what others wrote; absent where nobody else can. */
  readonly pollMs?: number | undefined;
  /**
   * The process is a function, which is frozen between two requests: nothing may run by itself. It serves one request
   * at a time, so the index needs no thread.
   */
  readonly isFrozenBetween?: true;
}
