import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** One copy of SQLite's log into the database, and as much again to be logged meanwhile. */
export const BALLAST_BYTES = 8 * 1024 * 1024;
/** It is made where so many times its size is free, so that it is not what fills the disk. */
const FREE_TIMES = 2;

/**
 * A file that keeps room on the disk for the time when there is none: then it is let go, and what frees something can
 * be written. It is made again once there is room.
 */
export class Ballast {
  readonly #path: string;
  #isThere: boolean;

  constructor(path: string) {
    this.#path = path;
    this.#isThere = existsSync(path);
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  /** Gives whether it is there then. */
  make(): boolean {
    if (this.#isThere) return true;
    try {
      const { bavail, bsize } = statfsSync(dirname(this.#path));
      if (bavail * bsize < BALLAST_BYTES * FREE_TIMES) return false;
      // Random, for a file system that packs zeros would keep no room.
      writeFileSync(this.#path, randomBytes(BALLAST_BYTES), { mode: 0o600 });
      return (this.#isThere = true);
    } catch {
      this.letGo(); // half of it
      return false;
    }
  }

  /** Gives whether it was there. */
  letGo(): boolean {
    const wasThere = this.#isThere;
    rmSync(this.#path, { force: true });
    this.#isThere = false;
    return wasThere;
  }
}
