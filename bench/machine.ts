import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, totalmem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from './figures.ts';

const SYNCS = 200;
const PAGE_BYTES = 4_096;

/** What every figure depends on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly platform: string;
  /** Of the last 1, 5 and 15 minutes. */
  readonly load: readonly number[];
  /** The median time of a sync after 4 KB were appended: below it no durable write can be. */
  readonly fsyncMs: number;
}

export function machineFacts(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    load: loadavg().map((value) => Math.round(value * 100) / 100),
    fsyncMs: Math.round(fsyncMs() * 1_000) / 1_000,
  };
}

/** The same in one line, to print above a table. */
export function machine(): string {
  const { cpu, cores, memoryGb, node, platform, load, fsyncMs: sync } = machineFacts();
  return (
    `${cpu}, ${cores} cores, ${memoryGb} GB, Node ${node}, ${platform}, ` +
    `fsync of the disk of ${tmpdir()} ${sync.toFixed(2)} ms (median of ${SYNCS}), load ${load.join(' ')}`
  );
}

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
