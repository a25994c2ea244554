import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v2-tokens.ts';
import type { ApiToken } from '../../domain/token.ts';
import { tokenId } from '../../domain/values.ts';
import type { V2Needs } from './needs.ts';
import { etag, idOf, isKnown, notModified, owner } from './request.ts';

/** A token never changes, so it has one version. */
const VERSION = 1;
const config = { access: 'admin' } as const;

/** The tokens of the owner: each is a key to everything of theirs, so all of this needs the scope `admin`. */
export const tokenRoutes =
  ({ services, once }: V2Needs): Routes =>
  async (app) => {
    const { tokens } = services;

    app.post(
      '/tokens',
      {
        config,
        schema: {
          operationId: 'createToken',
          summary: 'Create a token',
          description:
            'Makes a key to everything of the owner, as far as its scopes reach: without any named, `read` and `write`. The secret is in this answer and nowhere else.',
          tags: ['tokens'],
          takes: ['idempotency-key'],
          sends: ['etag', 'location'],
          body: api.TokenInput,
          response: { 201: api.NewToken },
        },
      },
      async (request, reply) => {
        reply.header('cache-control', 'no-store');
        let secret: string | null = null; // in no receipt: it is kept nowhere, so an answer given again is without it
        const body = await once(
          { request, reply },
          async (keep: Parameters<typeof tokens.create>[2]) => {
            const made = await tokens.create(owner(), request.body, keep);
            ({ secret } = made);
            return made;
          },
          ({ token }) => ({
            status: 201,
            headers: { etag: `"${VERSION}"`, location: `/api/v2/tokens/${token.id}` },
            body: { ...presentToken(token), secret: null },
          }),
        );
        return { ...body, secret };
      },
    );

    app.get(
      '/tokens',
      {
        config,
        schema: {
          operationId: 'listTokens',
          summary: 'List tokens',
          description: 'Every token of the owner that was not revoked, without the secrets.',
          tags: ['tokens'],
          response: { 200: api.TokenList },
        },
      },
      async () => ({ items: (await tokens.list(owner())).map(presentToken) }),
    );

    app.get(
      '/tokens/:id',
      {
        config,
        schema: {
          operationId: 'getToken',
          summary: 'Get a token',
          description: 'What the token is called and may do; not its secret, which is kept nowhere.',
          tags: ['tokens'],
          takes: ['if-none-match'],
          sends: ['etag'],
          response: { 200: api.Token },
        },
      },
      async (request, reply) => {
        const token = await tokens.get(owner(), idOf(request, tokenId));
        etag(reply, VERSION);
        if (isKnown(request, VERSION)) return notModified(reply);
        return presentToken(token);
      },
    );

    // Without If-Match: it cannot have changed, and to revoke must be easy.
    app.delete(
      '/tokens/:id',
      {
        config,
        schema: {
          operationId: 'revokeToken',
          summary: 'Revoke a token',
          description: 'From the next request on the token opens nothing.',
          tags: ['tokens'],
        },
      },
      async (request, reply) => {
        await tokens.revoke(owner(), idOf(request, tokenId));
        return reply.code(204).send();
      },
    );
  };

function presentToken({ id, name, scopes, createdAt, expiresAt }: ApiToken): api.Token {
  return { id, name, scopes: [...scopes], createdAt, expiresAt: expiresAt ?? null };
}
