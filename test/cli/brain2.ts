import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly data?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs one command as a process of its own. */
export async function brain2(args: readonly string[], run: Run = {}): Promise<Ended> {
  const child = start(args, run);
  child.stdin?.end(run.input ?? '');
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return { code: child.exitCode, stdout, stderr };
}

/** Starts one command, whose end is the caller's to see. */
export function start(args: readonly string[], { data, env }: Run): ChildProcess {
  const settings = { BRAIN2_PORT: '0', ...(data !== undefined && { BRAIN2_DATA_DIR: data }), ...env };
  return spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, NO_COLOR: '1', ...settings } });
}

export interface Server {
  readonly url: string;
  /** What the server has said on stderr so far. */
  banner(): string;
  stop(signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>;
}

/** Starts `brain2 serve` and waits for the line that says that it listens. */
export async function startServer(
  data: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const child = start(['serve', ...args], { data, env });
  let said = '';
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  for await (const line of createInterface({ input: child.stdout! })) {
    const entry = JSON.parse(line) as { readonly msg: string; readonly url: string };
    if (entry.msg !== 'listening') continue;
    child.stdout!.resume();
    return {
      url: entry.url,
      banner: () => said,
      async stop(signal = 'SIGTERM') {
        const ended = once(child, 'close');
        child.kill(signal);
        await ended;
        return child.exitCode;
      },
    };
  }
  throw new Error(`the server ended before it listened: ${said}`);
}

/** Writes files below a folder, by path. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** A small vault: hand-made links, one broken, two notes of one title, and two files that are no notes. */
export const VAULT: Readonly<Record<string, string | Uint8Array>> = {
  'Sleep.md':
    '---\ntags: [health]\naliases: [Slumber]\n---\n# Sleep\n\nThe circadian clock says when. See [[Melatonin]] and [[Nowhere]].\n',
  'Melatonin.md': '# Melatonin\n\nMelatonin tells the circadian clock that it is dark. Sleep follows.\n',
  'light/Blue light.md':
    '# Blue light\n\nBlue light in the evening holds melatonin back and shifts the circadian clock.\n',
  'bread/index.md': '---\ntitle: Overview\n---\nFlour, water, salt and a sourdough starter.\n',
  'garden/index.md': '---\ntitle: Overview\n---\nTomatoes want sun, compost and patience.\n',
  'binary.md': new Uint8Array([0x23, 0x00, 0x01]),
  'latin.md': new Uint8Array([0x63, 0x61, 0x66, 0xe9, 0x0a]),
};
