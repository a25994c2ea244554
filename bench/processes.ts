import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
export const MAIN = at('../src/cli/main.ts');
const REPORT_USAGE = at('./report-usage.ts');

export interface Usage {
  readonly peakRssMb: number;
  readonly cpuMs: number;
}

/** A folder for one bench, gone at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'brain2-bench-'));
  folders.add(folder);
  return folder;
}

/** Whatever a bench has started ends with it, also where it is stopped or fails. */
const children = new Set<ChildProcess>();
const folders = new Set<string>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** Takes a process among those that end with this one. */
export function owned<Child extends ChildProcess>(child: Child): Child {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

function start(script: string, args: readonly string[], usageFile: string): ChildProcess {
  return owned(
    spawn(process.execPath, ['--import', REPORT_USAGE, script, ...args], {
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, NO_COLOR: '1', BENCH_USAGE_FILE: usageFile },
    }),
  );
}

let usageFiles = 0;
function usageFileIn(folder: string): string {
  return join(folder, `usage-${++usageFiles}.json`);
}

/** Runs a program to its end, or until `enough`, when it is asked to come to it. Throws when it fails. */
export async function run(
  folder: string,
  script: string,
  args: readonly string[],
  input = '',
  enough?: AbortSignal,
): Promise<Usage & { readonly wallMs: number; readonly stdout: string }> {
  const usageFile = usageFileIn(folder);
  const started = performance.now();
  const child = start(script, args, usageFile);
  child.stdin!.end(input);
  enough?.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')]);
  const wallMs = performance.now() - started;
  if (child.exitCode !== 0) throw new Error(`${script} ${args.join(' ')} failed: ${stderr}`);
  return { wallMs, stdout, ...(JSON.parse(readFileSync(usageFile, 'utf8')) as Usage) };
}

/** What a process holds once all its threads have collected what they do not need. */
export interface Held {
  /** The heap of its first thread, and what that holds outside of it: buffers. */
  readonly heapMb: number;
  /** The same of all other threads together. */
  readonly threadsMb: number;
  readonly rssMb: number;
}

export interface Server {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process until it listened. */
  readonly listeningMs: number;
  /** When the process was started, on the clock of `performance.now()`. */
  readonly startedAt: number;
  /** Collects first. */
  held(): Promise<Held>;
  kill(): Promise<void>;
  stop(): Promise<Usage>;
}

/** Starts a program that tells by a line of JSON, `{"msg":"listening","url"}`, that it listens. */
export async function startServer(folder: string, script: string, args: readonly string[]): Promise<Server> {
  const usageFile = usageFileIn(folder);
  const startedAt = performance.now();
  const child = start(script, args, usageFile);
  const exit = once(child, 'exit');
  const stderr = text(child.stderr!);
  for await (const line of createInterface({ input: child.stdout! })) {
    const entry = JSON.parse(line) as { readonly msg: string; readonly url: string };
    if (entry.msg !== 'listening') continue;
    child.stdout!.resume();
    return {
      url: entry.url,
      pid: child.pid ?? 0,
      listeningMs: performance.now() - startedAt,
      startedAt,
      async held() {
        child.send('collect');
        const [held] = (await once(child, 'message')) as [Held];
        return held;
      },
      async kill() {
        child.kill('SIGKILL');
        await exit;
      },
      async stop() {
        child.kill('SIGTERM');
        await exit;
        return JSON.parse(readFileSync(usageFile, 'utf8')) as Usage;
      },
    };
  }
  throw new Error(`${script} ended before it listened: ${await stderr}`);
}

export function startBrain2(folder: string, dataDir: string): Promise<Server> {
  return startServer(folder, MAIN, ['serve', '--data', dataDir, '--port', '0']);
}

/** The same, once its index is open: how long that takes is what `restart.bench.ts` measures. */
export async function startReadyBrain2(folder: string, dataDir: string): Promise<Server> {
  const server = await startBrain2(folder, dataDir);
  const answer = await fetch(new URL('/api/v2/search?q=ready', server.url));
  await answer.text();
  return server;
}

const CLOCK_TICK_MS = 10;

/** CPU time that a process has used so far; NaN where there is no /proc. */
export function cpuMsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
  } catch {
    return NaN;
  }
}
