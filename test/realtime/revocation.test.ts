import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { NewToken } from '../../src/api/v2-tokens.ts';
import { connectBrain } from '../../src/client/client.ts';
import type { RealtimeError } from '../../src/client/realtime-options.ts';
import { tokenId } from '../../src/domain/values.ts';
import { BrainError } from '../../src/domain/error.ts';
import { Hub } from '../../src/realtime/hub.ts';
import { tokenService } from '../../src/services/tokens.ts';
import { brain2, startServer } from '../cli/brain2.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { MemoryTable } from '../support/memory-table.ts';
import { ALICE, create, greeted, idOf, newStore, Peer } from './peer.ts';
import { RawPeer } from './server.ts';

/** A process that serves the owners of a table. */
function processOn(table: MemoryTable, clock: ManualClock, first: number) {
  const store = newStore(table);
  let ids = first;
  const newTokenId = () => tokenId(idOf(++ids));
  const tokens = tokenService({ store, newTokenId, nowMs: () => clock.nowMs() });
  const { authenticate } = tokens;
  const hub = new Hub({ log: store, authenticate, tokens, newId: () => `c${++ids}`, clock });
  return { store, tokens, hub };
}

function twoProcesses() {
  const [table, clock] = [new MemoryTable(), new ManualClock()];
  return { clock, here: processOn(table, clock, 1_000), there: processOn(table, clock, 2_000) };
}

/** A stream of server-sent events of whoever has the token. */
async function streamOf({ hub, tokens }: ReturnType<typeof processOn>, secret: string): Promise<Peer> {
  const stream = new Peer(hub, false);
  await stream.session.open(await tokens.authenticate(secret), {});
  return stream;
}

describe('a token that is revoked', () => {
  test('[RT9] by this process ends its sockets and streams at once, with 4401, and no others', async () => {
    const { here, clock } = twoProcesses();
    const { token, secret } = await here.tokens.create(ALICE, { name: 'phone' });
    const other = await here.tokens.create(ALICE, { name: 'desk' });
    const socket = await greeted(here.hub, { token: secret });
    const stream = await streamOf(here, secret);
    const untouched = await greeted(here.hub, { token: other.secret });
    await here.tokens.revoke(ALICE, token.id);
    for (const peer of [socket, stream]) {
      expect(peer.of('bye')).toMatchObject([{ code: 4401, reason: 'the token was revoked' }]);
      expect(peer.closed?.code).toBe(4401);
    }
    await create(here.store, ALICE, [1]);
    await clock.advance(20_000);
    expect([socket.events.length, stream.events.length, untouched.events.length]).toEqual([0, 0, 1]);
    expect(untouched.closed).toBeUndefined();
  });

  test('[RT9] by another process ends them within 10 s, and from the revocation on none begins', async () => {
    const { here, there, clock } = twoProcesses();
    const { token, secret } = await here.tokens.create(ALICE, { name: 'phone' });
    const socket = await greeted(here.hub, { token: secret });
    const stream = await streamOf(here, secret);
    const { ticket } = await here.hub.tickets.issue(await here.tokens.authenticate(secret));
    await there.tokens.revoke(ALICE, token.id);
    // Requests know the token for some seconds more; connections do not.
    expect(await here.tokens.authenticate(secret)).toMatchObject({ owner: ALICE });
    expect((await greeted(here.hub, { token: secret })).closed?.code).toBe(4401);
    expect((await greeted(here.hub, { ticket })).closed?.code).toBe(4401);
    expect((await streamOf(here, secret)).closed?.code).toBe(4401);
    expect([socket.closed, stream.closed]).toEqual([undefined, undefined]);
    await clock.advance(10_000);
    expect([socket.closed?.code, stream.closed?.code]).toEqual([4401, 4401]);
    expect(clock.waiting).toBe(0);
  });

  test('[RT9] is looked for with one read a token, and a store that is away ends nobody', async () => {
    const { here, there, clock } = twoProcesses();
    const { token, secret } = await here.tokens.create(ALICE, { name: 'phone' });
    const peers = [await greeted(here.hub, { token: secret }), await greeted(here.hub, { token: secret })];
    const reads = { count: 0, fail: true };
    const { stands } = here.tokens;
    here.tokens.stands = (...given) => {
      reads.count += 1;
      if (reads.fail) throw new BrainError('unavailable', 'the store is away');
      return stands(...given);
    };
    await there.tokens.revoke(ALICE, token.id);
    await clock.advance(20_000);
    expect([reads.count, peers.map(({ closed }) => closed)]).toEqual([2, [undefined, undefined]]);
    reads.fail = false;
    await clock.advance(10_000);
    expect([reads.count, peers.map(({ closed }) => closed?.code)]).toEqual([3, [4401, 4401]]);
  });

  test('[RT9] does not end a connection that was renewed with another one, whose revocation does', async () => {
    const { here } = twoProcesses();
    const old = await here.tokens.create(ALICE, { name: 'old' });
    const fresh = await here.tokens.create(ALICE, { name: 'fresh' });
    const peer = await greeted(here.hub, { token: old.secret });
    peer.say({ action: 'auth', token: fresh.secret });
    await settle();
    await here.tokens.revoke(ALICE, old.token.id);
    expect([peer.of('auth.renewed').length, peer.closed]).toEqual([1, undefined]);
    await here.tokens.revoke(ALICE, fresh.token.id);
    expect(peer.closed?.code).toBe(4401);
  });
});

const root = mkdtempSync(join(tmpdir(), 'brain2-revocation-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('[RT9] `brain2 token revoke` beside a server ends socket and stream by name, and the client gives up', async () => {
  const server = await startServer(root, [], { BRAIN2_AUTH: 'token' });
  onTestFinished(async () => void (await server.stop()));
  const made = await brain2(['token', 'create', '--owner', 'ada', '--json'], { data: root });
  const { id, secret } = JSON.parse(made.stdout) as NewToken & { readonly secret: string };
  const peer = new RawPeer(`${server.url.replace('http', 'ws')}/ws`);
  await once(peer.socket, 'open');
  peer.say({ action: 'hello', token: secret });
  await peer.get('welcome');
  const authorization = `Bearer ${secret}`;
  const stream = await fetch(`${server.url}/api/v2/events`, { headers: { authorization } });
  const client = connectBrain({ url: server.url, token: secret }).events();
  const [live, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<RealtimeError | undefined>()];
  client.on({
    state(state) {
      if (state === 'live') live.resolve();
      if (state === 'stopped') stopped.resolve(client.error);
    },
  });
  client.start();
  await live.promise;
  expect((await brain2(['token', 'revoke', id, '--owner', 'ada'], { data: root })).code).toBe(0);
  expect([(await peer.closed).code, (await peer.get('bye')).reason]).toEqual([4401, 'the token was revoked']);
  expect(await stream.text()).toMatch(/event: bye\ndata: .*"code":4401/);
  expect(await stopped.promise).toMatchObject({ code: 4401 });
});
