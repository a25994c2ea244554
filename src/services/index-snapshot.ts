import { ENGINE_VERSION } from '../linking/link-index.ts';
import type { NodeId, OwnerId, Position } from '../domain/values.ts';
import type { IndexThread, NoteIndex } from './index-thread.ts';

/** Where an owner's index is kept between starts. It can always be rebuilt, so losing it loses nothing. */
export interface SnapshotStore {
  load(owner: OwnerId): Promise<Uint8Array | undefined>;
  /** The parts one after the other, whole or not at all. */
  save(owner: OwnerId, parts: readonly Uint8Array[]): Promise<void>;
  /** Told of one that is damaged: the index is rebuilt then. */
  onRefused?(owner: OwnerId, error: unknown): void;
}

/** An index and where in the log it stands. */
interface IndexState {
  readonly links: NoteIndex;
  readonly position: Position;
}

interface SnapshotHeader extends Position {
  readonly engine: string;
  /** Entries that were ahead of the log: to be read again, for their transactions may never have been committed. */
  readonly doubtful: readonly NodeId[];
}

const LENGTH_BYTES = 4;
const ALIGN_BYTES = 4;

/** Four bytes of length, a header of JSON that names the position and the engine, then the index. */
export async function saveSnapshot(
  snapshots: SnapshotStore,
  owner: OwnerId,
  { links, position, doubtful }: IndexState & { readonly doubtful: readonly NodeId[] },
): Promise<void> {
  const about: SnapshotHeader = { engine: ENGINE_VERSION, ...position, doubtful };
  const index = await links.serialize();
  const json = Buffer.from(JSON.stringify(about));
  // Filled up with blanks, so that the index begins at a place where it can be read without a copy.
  const header = Buffer.alloc(Math.ceil(json.length / ALIGN_BYTES) * ALIGN_BYTES, ' ');
  json.copy(header);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(header.length);
  await snapshots.save(owner, [length, header, index]);
}

/**
 * The stored index, if it can be gone on from to `head`. Undefined where there is none, or one of another engine or
 * log, or a damaged one: then the index is rebuilt.
 */
export async function openSnapshot(
  snapshots: SnapshotStore,
  thread: IndexThread,
  owner: OwnerId,
  head: Position,
): Promise<(IndexState & { readonly doubtful: Set<NodeId> }) | undefined> {
  const bytes = await snapshots.load(owner);
  if (!bytes) return undefined;
  try {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = LENGTH_BYTES + view.readUInt32LE(0);
    const { engine, epoch, seq, doubtful } = JSON.parse(
      view.toString('utf8', LENGTH_BYTES, end),
    ) as SnapshotHeader;
    // One that knows more than the log is of a database that is gone.
    if (engine !== ENGINE_VERSION || epoch !== head.epoch || seq > head.seq) return undefined;
    const links = await thread.open(bytes.subarray(end));
    return { links, position: { epoch, seq }, doubtful: new Set(doubtful) };
  } catch (error) {
    snapshots.onRefused?.(owner, error);
    return undefined;
  }
}
