import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, totalmem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from './figures.ts';

const SYNCS = 200;
const PAGE_BYTES = 4_096;

/** What every figure depends on, in one line to print above it. */
export function machine(): string {
  const memoryGb = (totalmem() / 2 ** 30).toFixed(0);
  const load = loadavg()
    .map((value) => value.toFixed(2))
    .join(' ');
  return (
    `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${memoryGb} GB, Node ${process.version}, ` +
    `${process.platform} ${process.arch}, fsync of the disk of ${tmpdir()} ${fsyncMs().toFixed(2)} ms (median of ${SYNCS}), ` +
    `load ${load}`
  );
}

/** The median time of a sync after 4 KB were appended: below it no durable write can be. */
function fsyncMs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'brain2-bench-'));
  const file = openSync(join(folder, 'synced'), 'w');
  try {
    const page = Buffer.alloc(PAGE_BYTES, 1);
    const times = Array.from({ length: SYNCS }, () => {
      writeSync(file, page);
      const start = performance.now();
      fsyncSync(file);
      return performance.now() - start;
    });
    return percentile(times, 0.5);
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}
