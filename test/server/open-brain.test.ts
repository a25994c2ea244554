import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { dataFolder } from '../http/client.ts';

const source = (path: string) =>
  JSON.stringify(fileURLToPath(new URL(`../../src/server/${path}`, import.meta.url)));

/**
 * Opens twice on one folder: with keys of tokens at no address, and as it should be. Prints what the first threw, and
 * the timers, threads and servers that it left, also those that keep no process alive.
 */
const SCRIPT = `
  import { createHook } from 'node:async_hooks';
  import { openBrain } from ${source('brain.ts')};
  import { DEFAULTS } from ${source('settings.ts')};
  const settings = { ...DEFAULTS, dataDir: process.argv[1], logLevel: 'silent' };
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
  const left = new Map();
  const hook = createHook({
    init: (id, type) => void (/Timeout|WORKER|MESSAGEPORT|TCPSERVER/.test(type) && left.set(id, type)),
    destroy: (id) => void left.delete(id),
  }).enable();
  const broken = { ...settings, auth: 'jwt', jwksUrl: 'no address' };
  const thrown = await openBrain(broken, { environment }).then(() => 'nothing', ({ message }) => message);
  await new Promise(setImmediate);
  hook.disable();
  const brain = await openBrain(settings);
  await brain.close();
  console.log(JSON.stringify({ thrown, left: [...left.values()] }));`;

test('what was opened is closed where a later part cannot be: its process ends by itself, and the folder is free', async () => {
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT, dataFolder()]);
  expect(JSON.parse((await run).stdout)).toEqual({ thrown: 'Invalid URL', left: [] });
}, 120_000);
