import * as fc from 'fast-check';
import type { NewToken } from '../../src/api/v2-tokens.ts';
import { ownerId, type OwnerId } from '../../src/domain/values.ts';
import { operatorCredential } from '../../src/http/auth/operator.ts';
import type { Client } from '../http/client.ts';

/** Who sends a request about the things of an owner. */
export interface Caller {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What it may do with the things of the owner, at most. */
  readonly may: 'everything' | 'read' | 'nothing';
}

/** An owner with whoever calls, and how to prepare what they call about. */
export interface Owned {
  readonly owner: OwnerId;
  readonly callers: fc.Arbitrary<Caller>;
  /** Tokens in use, which no request is to revoke. */
  readonly inUse: readonly string[];
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

/** The one owner where nobody is asked who they are. */
export function localOwner(client: Client): Owned {
  const resident: Caller = { name: 'resident', headers: {}, may: 'everything' };
  return { owner: client.brain.owner, callers: fc.constant(resident), inUse: [], ...askingAs(client, {}) };
}

/** What is prepared, as whoever these headers are of: it must be answered well. */
function askingAs(client: Client, headers: Caller['headers']): Pick<Owned, 'get' | 'post'> {
  async function want<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const answer = await client.send<T>(method, path, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }
  return { get: (path) => want('GET', path), post: (path, body) => want('POST', path, body) };
}

/** A new owner: mostly they call themselves, at times with less than is asked, and at times it is somebody else. */
export async function newOwner(client: Client, name: string): Promise<Owned> {
  const all = await tokenOf(client, name, 'admin');
  const reading = await tokenOf(client, name, 'read');
  const foreign = await tokenOf(client, `${name}-foreign`, 'admin');
  const headers = bearer(all.secret);
  return {
    owner: ownerId(name),
    callers: fc.oneof(
      { weight: 12, arbitrary: fc.constant<Caller>({ name: 'owner', headers, may: 'everything' }) },
      { weight: 2, arbitrary: callerOf('reader', 'read', reading.secret) },
      { weight: 2, arbitrary: callerOf('foreigner', 'nothing', foreign.secret) },
      { weight: 1, arbitrary: callerOf('unknown', 'nothing', `b2t_${'x'.repeat(43)}`) },
      { weight: 1, arbitrary: fc.constant<Caller>({ name: 'nobody', headers: {}, may: 'nothing' }) },
    ),
    inUse: [all.id, reading.id],
    ...askingAs(client, headers),
  };
}

const bearer = (secret: string | null) => ({ authorization: `Bearer ${secret}` });

const callerOf = (name: string, may: Caller['may'], secret: string | null): fc.Arbitrary<Caller> =>
  fc.constant({ name, headers: bearer(secret), may });

async function tokenOf(client: Client, owner: string, scope: 'read' | 'admin'): Promise<NewToken> {
  const { operatorKey } = client.brain.folder;
  const operator = bearer(operatorCredential(operatorKey, owner));
  const answer = await client.send<NewToken>('POST', '/tokens', { name: scope, scopes: [scope] }, operator);
  if (answer.status !== 201) throw new Error(`no token: ${answer.status} ${answer.text}`);
  return answer.body;
}
