import { isAbsolute, relative } from 'node:path';
import type { Settings } from '../server/settings.ts';

/** The command as it works from here, on the same data. */
export function commandFor(command: string, { dataDir }: Settings): string {
  const path = shortPath(dataDir);
  return `npx brain2 ${path === './data' ? '' : `--data ${path} `}${command}`;
}

/** A path of the file system as it is shortest from here. */
export function shortPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') || isAbsolute(near) ? path : `./${near}`;
}
