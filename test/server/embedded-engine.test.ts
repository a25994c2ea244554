import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openBrain } from '../../src/server/brain.ts';
import { DEFAULTS } from '../../src/server/settings.ts';

/** What of the SDK this process has loaded. */
const loaded = (): string[] =>
  Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('@aws-sdk'));

test('a Brain2 on SQLite loads nothing of the AWS SDK: it would take longer than all the rest', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'brain2-embedded-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const brain = await openBrain({ ...DEFAULTS, dataDir, logLevel: 'silent' });
  await brain.close();
  expect(loaded()).toEqual([]);
  await import('../../src/server/dynamo-engine.ts');
  expect(loaded().length).toBeGreaterThan(0);
});
