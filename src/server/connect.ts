import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { brainClient, withCredential, type BrainClient, type Transport } from '../client/http-client.ts';
import { httpTransport } from '../client/http-transport.ts';
import { BrainError } from '../domain/error.ts';
import { operatorCredential } from '../http/auth/operator.ts';
import { hasDatabase, holderOf, operatorKeyOf } from '../storage/embedded/data-folder.ts';
import type { Settings } from './settings.ts';

/** A client of the Brain2 of a data folder, wherever that runs. */
export interface Connection {
  readonly client: BrainClient;
  readonly where:
    | { readonly kind: 'server'; readonly url: string }
    | { readonly kind: 'local'; readonly dataDir: string };
  close(): Promise<void>;
}

interface ConnectOptions {
  /** Acts for this owner as whoever the data folder belongs to; else the token of the settings says for whom. */
  readonly operatorFor?: string | undefined;
}

/**
 * Beside a running server through its API (the lock in the data folder says where); without one on the store itself,
 * through the same API in this process, so that nothing differs. Throws `locked` when another command holds the
 * folder, and what `openBrain` throws.
 */
export async function connect(settings: Settings, { operatorFor }: ConnectOptions = {}): Promise<Connection> {
  const credentialBy = (operatorKey: Uint8Array | undefined): string | undefined =>
    operatorFor !== undefined && operatorKey ? operatorCredential(operatorKey, operatorFor) : settings.token;
  // A table is held by nobody: a command works on it beside any number of servers.
  const holder = settings.store === 'sqlite' ? holderOf(settings.dataDir) : undefined;
  if (holder?.url !== undefined) {
    const { url } = holder;
    const transport = withCredential(httpTransport(url), credentialBy(operatorKeyOf(settings.dataDir)));
    return { client: brainClient(transport), where: { kind: 'server', url }, close: async () => {} };
  }
  if (holder) {
    throw new BrainError(
      'locked',
      `${settings.dataDir} is in use by process ${holder.pid}; try again when it is done`,
      {
        operation: 'store.open',
        details: { holder },
      },
    );
  }
  const { openBrain } = await import('./brain.ts'); // beside a server a command needs none of it
  const brain = await openBrain({ ...settings, logLevel: 'silent' }, { isAlone: true });
  return {
    client: brainClient(withCredential(inProcess(brain.app), credentialBy(brain.folder.operatorKey))),
    where: { kind: 'local', dataDir: settings.dataDir },
    close: () => brain.close(),
  };
}

/** Whether there is something to connect to that `connect` would not have to make. Of a table it is not asked. */
export function isBegun({ store, dataDir }: Settings): boolean {
  return store === 'dynamodb' || hasDatabase(dataDir);
}

/** Where a server runs on a data folder; undefined where none does. */
export function serverOf(dataDir: string): string | undefined {
  return holderOf(dataDir)?.url;
}

/** Requests without a socket. */
function inProcess(app: FastifyInstance): Transport {
  return async ({ method, path, headers, body }) => {
    const answer = await app.inject({
      method: method as 'GET',
      url: path,
      headers,
      ...(body !== undefined && { payload: typeof body === 'string' ? body : Readable.from(body) }),
      payloadAsStream: true,
    });
    const fields = Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    return { status: answer.statusCode, headers: new Headers(fields), body: answer.stream() };
  };
}
