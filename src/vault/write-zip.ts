import { Readable } from 'node:stream';
import yazl from 'yazl';

/** The same for every file and every time: equal files make equal bytes. */
const MADE = { mtime: new Date(1980, 0, 1), mode: 0o100644, forceDosTimestamp: true } as const;

/** A zip of files, in their order, as it is read: each is packed in its turn. */
export function zipOf(
  files: Iterable<{ readonly path: string; readonly text: string | Uint8Array }>,
): AsyncIterable<Uint8Array> {
  const zip = new yazl.ZipFile();
  for (const { path, text } of files) {
    // What is added whole is packed at once, all files side by side.
    zip.addReadStreamLazy(path, MADE, (give) => give(null, Readable.from([Buffer.from(text)])));
  }
  zip.end();
  return zip.outputStream as AsyncIterable<Uint8Array> & NodeJS.ReadableStream;
}
