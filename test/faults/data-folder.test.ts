import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { brainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { mountReadOnly } from './mounts.ts';
import { examine } from './oracle.ts';
import { listening, startServer, type Ended } from './server-process.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const INPUT = { title: 'First', content: 'stored before' };

/** A data folder of one note, and its id. */
async function madeFolder(name: string): Promise<{ readonly dataDir: string; readonly id: string }> {
  const dataDir = join(root, name);
  const server = await listening(dataDir);
  const { id } = await brainClient(httpTransport(server.url)).nodes.create(INPUT);
  await server.stop();
  return { dataDir, id };
}

async function refused(dataDir: string): Promise<Ended> {
  const outcome = await startServer(dataDir);
  if (!('url' in outcome)) return outcome;
  await outcome.kill();
  throw new Error('the server came to listen');
}

describe('a data folder', () => {
  it('that is read-only is refused by name, and left as it was', async (context) => {
    const { dataDir, id } = await madeFolder('read-only');
    const denied = denyWriting(dataDir);
    if ('impossible' in denied) return context.skip(denied.impossible);
    try {
      const { code, stderr } = await refused(dataDir);
      expect(code).toBe(1);
      expect(stderr).toContain(dataDir);
      expect(stderr).toMatch(/cannot be written.*make it writable/);
      expect(stderr).not.toMatch(/bug|\n +at /);
    } finally {
      denied.unmount();
    }
    expect(await examine(dataDir, [{ kind: 'nodes', id, anyOf: [INPUT] }])).toEqual([]);
  });

  it('that a server has is refused to a second one, which names the first', async () => {
    const dataDir = join(root, 'shared');
    const first = await listening(dataDir);
    try {
      const { code, stderr } = await refused(dataDir);
      expect(code).toBe(4);
      expect(stderr).toContain(`process ${first.pid}`);
      expect(stderr).toContain(first.url);
      expect(await brainClient(httpTransport(first.url)).nodes.create(INPUT)).toMatchObject(INPUT);
    } finally {
      await first.kill();
    }
  });

  it('whose server was killed is free at once', async () => {
    const dataDir = join(root, 'freed');
    await (await listening(dataDir)).kill();
    const next = await listening(dataDir);
    expect((await next.stop()).code).toBe(0);
  });
});

/** Rights do not bind root, a mount that is read-only does. */
function denyWriting(dataDir: string): ReturnType<typeof mountReadOnly> {
  if (process.getuid?.() === 0) return mountReadOnly(dataDir);
  chmodSync(dataDir, 0o500);
  return { path: dataDir, unmount: () => chmodSync(dataDir, 0o700) };
}
