import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { dataFolder, newBrain, SLEEP } from './client.ts';
import { AUDIENCE, ISSUER, newIssuer, signingKey, tokenOf, type SigningKey } from './issuer.ts';

const START = Date.parse('2026-03-01T12:00:00Z');
const START_S = START / 1000;
const SKEW_S = 30;

let rsa: SigningKey;
let next: SigningKey;
let elliptic: SigningKey;
let strange: SigningKey;
beforeAll(async () => {
  [rsa, next, elliptic, strange] = await Promise.all([
    signingKey('rsa'),
    signingKey('next'),
    signingKey('elliptic', 'ES256'),
    signingKey('rsa'), // of the same name
  ]);
});

async function jwtBrain(...keys: readonly SigningKey[]) {
  const issuer = await newIssuer(keys);
  const clock = { nowMs: START };
  const settings = {
    auth: 'jwt',
    jwksUrl: issuer.jwksUrl,
    jwtIssuer: ISSUER,
    jwtAudience: AUDIENCE,
  } as const;
  const client = await newBrain(dataFolder(), { settings, nowMs: () => clock.nowMs });
  const get = (token: string, path = '/graph') =>
    client.send('GET', path, undefined, { authorization: `Bearer ${token}` });
  const statusOf = async (token: string) => (await get(token)).status;
  return { client, issuer, clock, get, statusOf };
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const CLAIMS = { iss: ISSUER, aud: AUDIENCE, sub: 'ada', exp: START_S + 300 };
const at = { nowMs: START };

describe('a JWT', () => {
  it('of the issuer, by any asymmetric key of it, opens the graph of its subject', async () => {
    const { client } = await jwtBrain(rsa, elliptic);
    const ada = { authorization: `Bearer ${await tokenOf(rsa, {}, at)}` };
    const again = { authorization: `Bearer ${await tokenOf(elliptic, {}, at)}` };
    const bob = { authorization: `Bearer ${await tokenOf(rsa, { sub: 'bob' }, at)}` };
    const { body } = await client.send<{ id: string }>('POST', '/nodes', SLEEP.sleep, ada);
    expect((await client.send('GET', `/nodes/${body.id}`, undefined, again)).status).toBe(200);
    expect((await client.send('GET', `/nodes/${body.id}`, undefined, bob)).status).toBe(404);
  });

  it.each([
    ['of another issuer', { iss: 'https://other.example' }],
    ['of no issuer', { iss: undefined }],
    ['for another audience', { aud: 'other' }],
    ['for no audience', { aud: undefined }],
    ['of nobody', { sub: undefined }],
    ['of an empty subject', { sub: '' }],
    ['without an end', { exp: undefined }],
    ['that has ended', { exp: START_S - SKEW_S }],
    ['of the future', { nbf: START_S + SKEW_S + 1 }],
  ])('%s is refused', async (_what, claims) => {
    const { get } = await jwtBrain(rsa);
    const answer = await get(await tokenOf(rsa, claims as JWTPayload, at));
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="brain2", error="invalid_token"');
  });

  it('is taken within the skew of clocks, and refused once it is past', async () => {
    const { statusOf } = await jwtBrain(rsa);
    expect(await statusOf(await tokenOf(rsa, { exp: START_S - SKEW_S + 1 }, at))).toBe(200);
    expect(await statusOf(await tokenOf(rsa, { nbf: START_S + SKEW_S }, at))).toBe(200);
  });

  it('that is remembered as verified ends at its time all the same', async () => {
    const { statusOf, clock } = await jwtBrain(rsa);
    const token = await tokenOf(rsa, { exp: START_S + 1 }, at);
    expect(await statusOf(token)).toBe(200);
    clock.nowMs = START + (SKEW_S + 1) * 1000;
    expect(await statusOf(token)).toBe(401);
  });

  it('without a signature is refused, however it is called', async () => {
    const { statusOf } = await jwtBrain(rsa);
    for (const alg of ['none', 'None', 'NONE', '', undefined]) {
      const unsigned = `${encoded({ alg, kid: 'rsa' })}.${encoded(CLAIMS)}`;
      for (const token of [`${unsigned}.`, unsigned, `${unsigned}.AAAA`])
        expect([alg, await statusOf(token)]).toEqual([alg, 401]);
    }
  });

  it('signed with the public key as if it were a shared secret is refused', async () => {
    const { statusOf } = await jwtBrain(rsa);
    const publicKey = await importJWK(rsa.publicJwk, 'RS256', { extractable: true });
    const secrets = [
      await exportSPKI(publicKey as CryptoKey),
      JSON.stringify(rsa.publicJwk),
      rsa.publicJwk.n ?? '',
    ];
    for (const secret of secrets) {
      for (const alg of ['HS256', 'RS256']) {
        const signed = `${encoded({ alg, kid: 'rsa' })}.${encoded(CLAIMS)}`;
        const signature = createHmac('sha256', secret).update(signed).digest('base64url');
        expect(await statusOf(`${signed}.${signature}`)).toBe(401);
      }
    }
  });

  it('signed by a shared secret that the issuer itself publishes is refused', async () => {
    const secret = Buffer.alloc(32, 7);
    const shared = { kty: 'oct', k: secret.toString('base64url'), kid: 'shared', alg: 'HS256' };
    const { statusOf } = await jwtBrain(rsa, { ...rsa, publicJwk: shared });
    const token = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', kid: 'shared' }).sign(secret);
    expect(await statusOf(token)).toBe(401);
  });

  it('by a key of somebody else under the name of a known one is refused', async () => {
    const { statusOf } = await jwtBrain(rsa);
    expect(await statusOf(await tokenOf(strange, {}, at))).toBe(401);
    for (const kid of ['', '../../etc/passwd', "' OR 1=1", 'x'.repeat(2000)])
      expect(await statusOf(await tokenOf(strange, {}, { ...at, header: { kid } }))).toBe(401);
  });

  it('that brings its own key, or says where one is, is refused and nothing is fetched', async () => {
    const { statusOf, issuer } = await jwtBrain(rsa);
    const evil = await newIssuer([strange]);
    const headers = [
      { jwk: strange.publicJwk },
      { jku: evil.jwksUrl },
      { x5u: evil.jwksUrl },
      { x5c: ['MIIB'] },
    ];
    for (const header of headers) {
      for (const key of [strange, rsa])
        expect(await statusOf(await tokenOf(key, {}, { ...at, header }))).toBe(401);
    }
    expect([evil.fetches(), issuer.fetches()]).toEqual([0, 0]);
  });

  it('whose claims were changed after it was signed is refused', async () => {
    const { statusOf } = await jwtBrain(rsa);
    const [header, , signature] = (await tokenOf(rsa, {}, at)).split('.');
    expect(await statusOf(`${header}.${encoded({ ...CLAIMS, sub: 'bob' })}.${signature}`)).toBe(401);
  });

  it('may do what its scopes say; without any it reads and writes', async () => {
    const { client } = await jwtBrain(rsa);
    const tries = async (claims: object) => {
      const headers = { authorization: `Bearer ${await tokenOf(rsa, { ...claims }, at)}` };
      return [
        (await client.send('GET', '/graph', undefined, headers)).status,
        (await client.send('POST', '/categories', { title: 'x' }, headers)).status,
        (await client.send('GET', '/tokens', undefined, headers)).status,
      ];
    };
    expect(await tries({})).toEqual([200, 201, 403]);
    expect(await tries({ scope: 'openid profile' })).toEqual([403, 403, 403]);
    expect(await tries({ scope: 'openid read' })).toEqual([200, 403, 403]);
    expect(await tries({ scp: ['brain2:write'] })).toEqual([200, 201, 403]);
    expect(await tries({ scope: 'brain2/admin' })).toEqual([200, 201, 200]);
    expect(await tries({ scope: 7 })).toEqual([403, 403, 403]);
  });

  it('of a subject that can be no owner’s name has an owner of its own, which nobody else can be', async () => {
    const { get } = await jwtBrain(rsa);
    const subjects = ['a+b@example.org', 'a#b', 'ä', 'local', 'sub:x', 'x'.repeat(200)];
    for (const sub of subjects)
      expect([sub, (await get(await tokenOf(rsa, { sub }, at))).status]).toEqual([sub, 200]);
  });
});

describe('the keys of the issuer', () => {
  it('are fetched once for many tokens', async () => {
    const { statusOf, issuer } = await jwtBrain(rsa);
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, i) => tokenOf(rsa, { sub: `u${i}` }, at)),
    );
    expect(await Promise.all(tokens.map(statusOf))).toEqual(tokens.map(() => 200));
    expect(issuer.fetches()).toBe(1);
  });

  it('a flood of unknown ones makes them be fetched no oftener', async () => {
    const { statusOf, issuer } = await jwtBrain(rsa);
    const token = (kid: string) => tokenOf(strange, {}, { ...at, header: { kid } });
    const flood = await Promise.all(Array.from({ length: 50 }, (_, i) => token(`unknown-${i}`)));
    for (const one of flood) expect(await statusOf(one)).toBe(401);
    expect(issuer.fetches()).toBe(1);
  });

  it('are changed by the issuer: the new one is taken once it is looked for, the old one no more', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START }); // by which the keys' own cooldown goes
    onTestFinished(() => void vi.useRealTimers());
    const { statusOf, issuer, clock } = await jwtBrain(rsa);
    const byNext = await tokenOf(next, {}, at);
    expect(await statusOf(await tokenOf(rsa, {}, at))).toBe(200);
    issuer.publish(next);
    expect([await statusOf(byNext), issuer.fetches()]).toEqual([401, 1]);
    clock.nowMs = START + 31_000;
    vi.setSystemTime(clock.nowMs);
    expect([await statusOf(byNext), issuer.fetches()]).toEqual([200, 2]);
    expect(await statusOf(await tokenOf(rsa, { sub: 'bob' }, at))).toBe(401);
  });

  it('that are known are used on while the issuer is down and unknown ones are asked for', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START });
    onTestFinished(() => void vi.useRealTimers());
    const { statusOf, issuer, clock } = await jwtBrain(rsa);
    expect(await statusOf(await tokenOf(rsa, {}, at))).toBe(200);
    issuer.goDown();
    clock.nowMs = START + 31_000;
    vi.setSystemTime(clock.nowMs);
    expect(await statusOf(await tokenOf(next, {}, at))).toBe(503);
    expect(await statusOf(await tokenOf(next, { sub: 'bob' }, at))).toBe(401);
    expect(await statusOf(await tokenOf(rsa, { sub: 'bob' }, at))).toBe(200);
    expect(issuer.fetches()).toBe(2);
  });

  it('while they cannot be fetched, 503 says so and the issuer is not stormed', async () => {
    const { get, issuer, clock } = await jwtBrain(rsa);
    issuer.goDown();
    for (let i = 0; i < 20; i++) {
      const answer = await get(await tokenOf(rsa, { sub: `u${i}` }, at));
      expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
        503,
        'unavailable',
        '1',
      ]);
    }
    expect(issuer.fetches()).toBe(1);
    issuer.comeBack();
    clock.nowMs += 2_000;
    expect((await get(await tokenOf(rsa, {}, at))).status).toBe(200);
  });
});
