import { isBrainError } from '../domain/error.ts';
import type { OwnerId, Position } from '../domain/values.ts';
import { keys } from './keys.ts';
import { readChanges, readHead, type Changes, type Head } from './log.ts';
import type { TableReader } from './table.ts';
import type { Commit } from './transaction.ts';

const EVENTS_A_READ = 500;
/** While the table cannot be read it is not asked more often than this. */
const LONGEST_PAUSE_MS = 1_000;

/** An owner whose log is listened to. */
interface Followed {
  followers: number;
  /** Up to here everything was told; unknown until the head was first read. */
  position: Position | undefined;
  catchingUp: Promise<void> | undefined;
}

/**
 * Hears what other processes commit to the logs of the owners that somebody here follows, by looking at their heads
 * at an interval; for owners that nobody follows it reads nothing. Together with what this process commits, which goes
 * through it, each commit of a followed owner is told once and in the order of the log.
 */
export class ForeignCommits {
  readonly #table: TableReader;
  readonly #pollMs: number;
  readonly #tell: (commit: Commit) => void;
  readonly #followed = new Map<OwnerId, Followed>();
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;

  constructor(needs: {
    readonly table: TableReader;
    readonly pollMs: number;
    readonly tell: (commit: Commit) => void;
  }) {
    this.#table = needs.table;
    this.#pollMs = needs.pollMs;
    this.#tell = needs.tell;
  }

  /** Resolves once every later commit will be told. Returns the way to stop. */
  async follow(owner: OwnerId): Promise<() => void> {
    const followed = this.#followed.get(owner) ?? {
      followers: 0,
      position: undefined,
      catchingUp: undefined,
    };
    this.#followed.set(owner, followed);
    followed.followers += 1;
    let isOver = false;
    const stop = (): void => {
      if (isOver) return;
      isOver = true;
      followed.followers -= 1;
      if (followed.followers === 0) this.#followed.delete(owner);
    };
    try {
      if (followed.position === undefined) {
        const head = await readHead(this.#table, owner);
        followed.position ??= positionOf(head); // a commit of our own may have told meanwhile
      }
    } catch (error) {
      stop();
      throw error;
    }
    this.#schedule();
    return stop;
  }

  /** A commit of this process, as it became durable. */
  local(commit: Commit): void {
    const followed = this.#followed.get(commit.owner);
    if (followed) this.#take(followed, commit);
    else this.#tell(commit);
  }

  #take(followed: Followed, commit: Commit): void {
    const { position } = followed;
    if (position && (position.epoch === commit.epoch || isBlank(position))) {
      if (commit.to <= position.seq) return; // told already, from the log
      if (commit.from > position.seq + 1) {
        this.#catchUp(commit.owner, followed); // what lies between comes first, and brings this one too
        return;
      }
    }
    followed.position = { epoch: commit.epoch, seq: commit.to };
    this.#tell(commit);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#followed.size === 0) return;
    const pauseMs = Math.min(this.#pollMs * 2 ** this.#failures, Math.max(LONGEST_PAUSE_MS, this.#pollMs));
    this.#timer = setTimeout(() => void this.#look(), pauseMs).unref();
  }

  async #look(): Promise<void> {
    const owners = [...this.#followed.keys()];
    try {
      const heads = await this.#table.batchGet(owners.map((owner) => keys.head(owner)));
      for (const item of heads) {
        const owner = item.pk as OwnerId;
        const followed = this.#followed.get(owner);
        const head = JSON.parse(item.j) as Head;
        if (followed?.position && isBehind(followed.position, head)) this.#catchUp(owner, followed);
      }
      this.#failures = 0;
    } catch {
      this.#failures += 1; // health tells of it; here it is enough to ask again
    }
    this.#timer = undefined;
    this.#schedule();
  }

  #catchUp(owner: OwnerId, followed: Followed): void {
    followed.catchingUp ??= this.#readOn(owner, followed)
      .catch(() => undefined) // the next look finds it behind again
      .finally(() => (followed.catchingUp = undefined));
  }

  async #readOn(owner: OwnerId, followed: Followed): Promise<void> {
    for (let hasMore = true; hasMore && followed.position && followed.followers > 0;) {
      const changes = await this.#changesAfter(owner, followed.position);
      if (!changes) {
        followed.position = positionOf(await readHead(this.#table, owner));
        return;
      }
      hasMore = changes.hasMore;
      const from = followed.position.seq + 1; // our own commits may have been told meanwhile
      const events = changes.events.filter(({ seq }) => seq >= from).map(({ event }) => event);
      if (events.length === 0 || followed.followers === 0) continue;
      this.#take(followed, { owner, epoch: changes.epoch, from, to: changes.position.seq, events });
    }
  }

  /** Undefined where the log is another one by now, or was trimmed: who listens has to read the state anew. */
  async #changesAfter(owner: OwnerId, position: Position): Promise<Changes | undefined> {
    try {
      return await readChanges(this.#table, owner, position, EVENTS_A_READ);
    } catch (error) {
      if (isBrainError(error, 'position_gone')) return undefined;
      throw error;
    }
  }
}

function isBehind({ epoch, seq }: Position, head: Head): boolean {
  return epoch !== head.epoch || seq < head.seq;
}

/** Before the first event of all. */
function isBlank({ epoch, seq }: Position): boolean {
  return epoch === '' && seq === 0;
}

function positionOf(head: Head | undefined): Position {
  return { epoch: head?.epoch ?? '', seq: head?.seq ?? 0 };
}
