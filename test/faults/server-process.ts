import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { environmentOf } from '../support/place.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** SIGKILL, after so many turns of this process's event loop; it is gone when this resolves. */
  kill(afterTurns?: number): Promise<void>;
  stop(): Promise<Ended>;
}

/** What a process may have; absent is what this one may. */
export interface ProcessLimits {
  readonly heapMb?: number;
  readonly descriptors?: number;
}

/** `brain2 serve` as a process of its own, once it listens; or how it ended, if it did not come to that. */
export async function startServer(
  dataDir: string,
  port = 0,
  { heapMb, descriptors }: ProcessLimits = {},
): Promise<ServerProcess | Ended> {
  const flags = heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`];
  const command = [process.execPath, ...flags, MAIN, 'serve', '--data', dataDir, '--port', String(port)];
  const limited = ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...command];
  const [program = '', ...args] = descriptors === undefined ? command : limited;
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(await environmentOf(dataDir)), NO_COLOR: '1' },
  });
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const closed = once(child, 'close').then(([code, signal]): Ended => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stderr,
  }));
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as { readonly msg: string; readonly url: string };
    if (entry.msg !== 'listening') continue;
    child.stdout.resume();
    return {
      url: entry.url,
      pid: child.pid ?? 0,
      async kill(afterTurns = 0) {
        for (let at = 0; at < afterTurns; at++) await turn();
        child.kill('SIGKILL');
        await closed;
      },
      async stop() {
        child.kill('SIGTERM');
        return closed;
      },
    };
  }
  return closed;
}

/** The server, where it must have come to listen. */
export async function listening(dataDir: string, port = 0, limits?: ProcessLimits): Promise<ServerProcess> {
  const server = await startServer(dataDir, port, limits);
  if (!('url' in server)) throw new Error(`the server ended before it listened: ${server.stderr}`);
  return server;
}
