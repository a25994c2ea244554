import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { owned } from './processes.ts';

const CLIENTS = fileURLToPath(new URL('./realtime-clients.ts', import.meta.url));

/** Sockets that hear every change, in a process of their own. Gives the way to end them. */
export async function listen(url: string, sockets: number): Promise<() => Promise<void>> {
  const child = owned(
    spawn(process.execPath, [CLIENTS, 'brain2', url, String(sockets), '1'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const exit = once(child, 'exit');
  await once(child.stdout, 'data'); // it is there
  child.stdin.write(`${JSON.stringify({ do: 'connect' })}\n`);
  await once(child.stdout, 'data'); // all are welcome
  child.stdout.resume();
  return async () => {
    child.stdin.end();
    await exit;
  };
}
