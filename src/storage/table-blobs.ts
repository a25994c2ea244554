import { BrainError } from '../domain/error.ts';
import type { OwnerId } from '../domain/values.ts';
import { ExpiringCache } from '../shared/expiring-cache.ts';
import { BLOB_KEPT_DAYS, type Blobs } from './blobs.ts';
import { keys } from './keys.ts';
import { nameOf, type Item, type Key, type Table } from './table.ts';

/** In base64 they fit into an item. */
const PART_BYTES = 256 * 1024;
const DAY_S = 86_400;
/** What was read is kept, 2 MB of it, for it is written once: who goes through a zip asks for a part a thousand times. */
const KEPT_PARTS = 8;
const KEPT_BLOBS = 64;

/** What is told once all parts are there: the bytes are whole or not there at all. */
interface Whole {
  readonly bytes: number;
}

/** Blobs as items of the table, for an engine whose processes share no folder. */
export function tableBlobs(table: Table, nowSeconds: () => number): Blobs {
  const put = async (key: Key, et: string, payload: object): Promise<void> => {
    const item: Item = { ...key, et, ttl: nowSeconds() + BLOB_KEPT_DAYS * DAY_S, j: JSON.stringify(payload) };
    await table.transact([[{ put: item }]]);
  };
  const size = async (owner: OwnerId, id: string): Promise<number | undefined> => {
    const item = await table.get(keys.blob(owner, id));
    return item && bytesOf(item);
  };
  const wholes = keeping(KEPT_BLOBS, (key) => readWhole(table, key));
  const parts = keeping(KEPT_PARTS, (key) => readPart(table, key));
  return {
    size,

    async write(owner, id, bytes) {
      let at = 0;
      let written = 0;
      for await (const part of partsOf(bytes)) {
        parts.drop(keys.blobPart(owner, id, at)); // of a writing that was cut off
        await put(keys.blobPart(owner, id, at), 'blobPart.1', { base64: part.toString('base64') });
        at += 1;
        written += part.length;
      }
      await put(keys.blob(owner, id), 'blob.1', { bytes: written } satisfies Whole);
      return written;
    },

    async *read(owner, id, range) {
      const whole = await wholes.get(keys.blob(owner, id));
      const { start, end } = { start: range?.start ?? 0, end: Math.min(range?.end ?? whole, whole) };
      for (let at = Math.floor(start / PART_BYTES); at * PART_BYTES < end; at++) {
        const bytes = await parts.get(keys.blobPart(owner, id, at));
        const from = at * PART_BYTES;
        yield bytes.subarray(Math.max(0, start - from), Math.min(bytes.length, end - from));
      }
    },

    async remove(owner, id) {
      const whole = await size(owner, id);
      if (whole === undefined) return;
      wholes.drop(keys.blob(owner, id));
      await table.transact([[{ del: keys.blob(owner, id) }]]); // what cannot be read any more may go bit by bit
      for (let at = 0; at * PART_BYTES < whole; at++)
        await table.transact([[{ del: keys.blobPart(owner, id, at) }]]);
    },
  };
}

function bytesOf(item: Item): number {
  return (JSON.parse(item.j) as Whole).bytes;
}

async function readWhole(table: Table, key: Key): Promise<number> {
  const item = await table.get(key);
  if (!item) throw new BrainError('not_found', 'these bytes are not kept any more');
  return bytesOf(item);
}

/** Keeps the `most` that were asked for last. A failure is not kept. */
function keeping<T>(most: number, read: (key: Key) => Promise<T>) {
  const kept = new ExpiringCache<Promise<T>>({ limit: most, nowMs: () => 0 });
  return {
    get(key: Key): Promise<T> {
      const name = nameOf(key);
      const reading = kept.get(name) ?? read(key);
      kept.set(name, reading, Infinity);
      reading.catch(() => kept.delete(name));
      return reading;
    },
    drop: (key: Key) => kept.delete(nameOf(key)),
  };
}

async function readPart(table: Table, key: Key): Promise<Buffer> {
  const item = await table.get(key);
  if (!item) throw new BrainError('corrupt', 'a part of a blob is not there', { operation: 'blob.read' });
  return Buffer.from((JSON.parse(item.j) as { base64: string }).base64, 'base64');
}

async function* partsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    pieces.push(piece);
    length += piece.length;
    if (length < PART_BYTES) continue;
    let whole = Buffer.concat(pieces);
    for (; whole.length >= PART_BYTES; whole = whole.subarray(PART_BYTES))
      yield whole.subarray(0, PART_BYTES);
    pieces = [whole];
    length = whole.length;
  }
  if (length > 0) yield Buffer.concat(pieces);
}
