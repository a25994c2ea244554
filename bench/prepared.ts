import { join } from 'node:path';
import { syntheticVault, writeVault, type SyntheticVault } from './make-vault.ts';
import { MAIN, run } from './processes.ts';

/** A data folder with a synthetic vault imported, as most benches begin. */
export async function prepared(
  folder: string,
  noteCount: number,
): Promise<{ readonly dataDir: string; readonly vault: SyntheticVault }> {
  const vault = syntheticVault(noteCount);
  writeVault(join(folder, 'vault'), vault);
  const dataDir = join(folder, 'data');
  await run(folder, MAIN, ['import', join(folder, 'vault'), '--data', dataDir]);
  return { dataDir, vault };
}
