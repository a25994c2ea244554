import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { onTestFinished } from 'vitest';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function signingKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** An issuer of tokens with its keys on a real socket. */
export async function newIssuer(keys: readonly SigningKey[]) {
  let published = keys.map((key) => key.publicJwk);
  let isDown = false;
  let fetches = 0;
  let held = Promise.resolve();
  const server = createServer((_request, response) => {
    fetches += 1;
    response.statusCode = isDown ? 500 : 200;
    response.setHeader('content-type', 'application/json');
    void held.then(() => response.end(isDown ? 'down' : JSON.stringify({ keys: published })));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    jwksUrl: `http://127.0.0.1:${port}/jwks`,
    publish: (...jwks: readonly SigningKey[]) => (published = jwks.map((key) => key.publicJwk)),
    goDown: () => (isDown = true),
    /** Keeps whoever asks waiting until what it gives is called. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    comeBack: () => (isDown = false),
    fetches: () => fetches,
  };
}

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'brain2';

/** A token that is as it should be, but for what is given. */
export async function tokenOf(
  key: SigningKey,
  claims: JWTPayload,
  more: { readonly nowMs: number; readonly header?: Readonly<Record<string, unknown>> },
): Promise<string> {
  const now = Math.floor(more.nowMs / 1000);
  return new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'ada', iat: now, exp: now + 300, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...more.header })
    .sign(key.privateKey);
}
