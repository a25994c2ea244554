// Loaded before a measured program (node --import): tells at its end what it took.
import { writeFileSync } from 'node:fs';
import type { Usage } from './processes.ts';

const path = process.env['BENCH_USAGE_FILE'];
delete process.env['BENCH_USAGE_FILE'];

if (path !== undefined) {
  process.on('exit', () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    const usage: Usage = { peakRssMb: maxRSS / 1024, cpuMs: (userCPUTime + systemCPUTime) / 1_000 };
    writeFileSync(path, JSON.stringify(usage));
  });
}
