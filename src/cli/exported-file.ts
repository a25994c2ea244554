import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { VaultProblem } from '../vault/types.ts';

const PART = /^\{"(?:category|node|edge|decision)":\{/;

/** Whether a file is NDJSON that `brain2 export` wrote, which carries more than notes. */
export async function isExportedFile(path: string): Promise<boolean> {
  if (!/\.(?:ndjson|jsonl)$/i.test(path)) return false;
  const file = await open(path).catch(() => undefined); // whatever is wrong with it is told by who reads it
  const start = await file?.read(Buffer.alloc(20), 0, 20, 0);
  await file?.close();
  return start !== undefined && PART.test(start.buffer.toString('utf8', 0, start.bytesRead));
}

/** Its lines; one that cannot be read, as the last of a file that was cut off, goes to `problems`. */
export async function* partsOfFile(
  path: string,
  problems: VaultProblem[],
): AsyncGenerator<Record<string, unknown>> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() === '') continue;
    let part: Record<string, unknown>;
    try {
      part = JSON.parse(line) as Record<string, unknown>;
    } catch {
      const about = { path: basename(path), line: number, code: 'invalid_json', severity: 'error' } as const;
      problems.push({ ...about, message: 'the line is not JSON' });
      continue;
    }
    yield part;
  }
}
