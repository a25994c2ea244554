import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/**
 * What browsers are told of every answer: it is no page, no frame, no script, and of this origin alone. One object set
 * at once costs a tenth of a library that computes the same for each answer (bench/chain.bench.ts).
 */
const HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

const PREFLIGHT_S = 600;
/** Of an answer, what pages of other origins may read besides the body. */
const EXPOSED = [
  'API-Version',
  'Deprecation',
  'Sunset',
  'ETag',
  'Location',
  'Link',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'Idempotency-Replayed',
  'X-Correlation-ID',
  'X-Request-ID',
];

export function useSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(HEADERS);
    done();
  });
}

/** Lets pages of these origins use the API, with a token and never with a cookie. Without any, browsers let none. */
export async function useCors(app: FastifyInstance, allowedOrigins: readonly string[]): Promise<void> {
  if (allowedOrigins.length === 0) return;
  await app.register(cors, {
    origin: [...allowedOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    strictPreflight: false, // else an OPTIONS that is none is refused in plain text
    maxAge: PREFLIGHT_S,
  });
}
