import { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import yauzl from 'yauzl';

/** Bytes of a zip, wherever they lie. */
export interface ZipBytes {
  readonly size: number;
  read(range: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>;
}

/** Some hundred notes, or thousands of entries of the directory. */
const BLOCK_BYTES = 256 * 1024;
const BLOCKS_KEPT = 8;

/**
 * Gives `yauzl` the parts of a zip that it asks for, four small ones a file, out of blocks that are read whole: a part
 * by itself is a file opened, or a request to the place where the zip lies.
 */
export class BlockReader extends yauzl.RandomAccessReader {
  readonly #bytes: ZipBytes;
  /** The last used at the end. */
  readonly #blocks = new Map<number, Promise<Buffer>>();

  constructor(bytes: ZipBytes) {
    super();
    this.#bytes = bytes;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#pieces(start, end), { objectMode: false });
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const copy = async () => void (await this.bytes(position, position + length)).copy(buffer, offset);
    callbackify(copy)(callback);
  }

  /** Throws where the zip ends before. */
  async bytes(start: number, end: number): Promise<Buffer> {
    const found = Buffer.concat(await Array.fromAsync(this.#pieces(start, end)));
    if (found.length < end - start) throw new Error('the zip ends too early');
    return found;
  }

  async *#pieces(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end;) {
      const number = Math.floor(at / BLOCK_BYTES);
      const from = at - number * BLOCK_BYTES;
      const piece = (await this.#block(number)).subarray(from, from + end - at);
      if (piece.length === 0) return;
      yield piece;
      at += piece.length;
    }
  }

  #block(number: number): Promise<Buffer> {
    const known = this.#blocks.get(number);
    this.#blocks.delete(number);
    const start = number * BLOCK_BYTES;
    const block = known ?? this.#read(start, Math.min(start + BLOCK_BYTES, this.#bytes.size));
    this.#blocks.set(number, block);
    const [oldest] = this.#blocks.keys();
    if (oldest !== undefined && this.#blocks.size > BLOCKS_KEPT) this.#blocks.delete(oldest);
    return block;
  }

  async #read(start: number, end: number): Promise<Buffer> {
    return start < end
      ? Buffer.concat(await Array.fromAsync(this.#bytes.read({ start, end })))
      : Buffer.alloc(0);
  }
}
