import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Command as ClientCommand } from './realtime-clients.ts';
import type { Command as HostCommand } from './realtime-host.ts';

/** A program that answers each line with a line. */
export interface Talker<Command> {
  /** What it said when it was ready. */
  readonly first: { readonly url: string };
  ask<T>(command: Command): Promise<T>;
  end(): void;
  /** With SIGKILL. */
  kill(): Promise<void>;
}

export type Host = Talker<HostCommand>;
export type Readers = Talker<ClientCommand>;

/** Longer than the longest of what is asked takes: whoever has not answered by then never will. */
const ANSWER_MS = 150_000;
const running = new Set<ChildProcess>();

/** Ends all that were started, with SIGKILL, those too that hang. */
export async function killAll(): Promise<void> {
  await Promise.all([...running].map(killed));
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Starts a program of this folder. What it is asked throws when it ends without an answer, or has none in time. */
export async function talkTo<Command>(script: string, args: readonly string[]): Promise<Talker<Command>> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>(asked: string): Promise<T> => {
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, ANSWER_MS);
    const line = await lines.next();
    clearTimeout(late);
    if (line.done === true) {
      const how = isLate ? `has no answer in ${ANSWER_MS / 1_000} s` : 'ended without an answer';
      throw new Error(`${script} ${args.join(' ')} ${how} to ${asked}`);
    }
    return JSON.parse(line.value) as T;
  };
  return {
    first: await next('its start'),
    async ask(command) {
      const asked = JSON.stringify(command);
      child.stdin.write(`${asked}\n`);
      return next(asked);
    },
    end: () => child.stdin.end(),
    kill: () => killed(child),
  };
}
