import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** A mount that lasts until `unmount`, or why there can be none: it takes root, and not every container lets it. */
export type Mounted = { readonly path: string; unmount(): void } | { readonly impossible: string };

export function mountTmpfs(path: string, sizeBytes: number): Mounted {
  return mounting(path, [['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', path]]);
}

/** Makes an existing folder read-only in its place, for root as well. */
export function mountReadOnly(path: string): Mounted {
  return mounting(path, [
    ['--bind', path, path],
    ['-o', 'remount,ro,bind', path],
  ]);
}

function mounting(path: string, calls: readonly (readonly string[])[]): Mounted {
  if (process.getuid?.() !== 0) return { impossible: 'to mount takes root' };
  mkdirSync(path, { recursive: true });
  try {
    for (const args of calls) execFileSync('mount', args, { stdio: 'pipe' });
  } catch (error) {
    return { impossible: `no mount here: ${(error as Error).message}` };
  }
  return { path, unmount: () => void execFileSync('umount', ['--lazy', path]) };
}
