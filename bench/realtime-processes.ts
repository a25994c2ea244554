import { spawn } from 'node:child_process';
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

/** Starts a program of this folder. What it is asked throws when it ends without an answer. */
export async function talkTo<Command>(script: string, args: readonly string[]): Promise<Talker<Command>> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${script} ${args.join(' ')} ended`);
    return JSON.parse(line.value) as T;
  };
  return {
    first: await next(),
    async ask(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return next();
    },
    end: () => child.stdin.end(),
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
