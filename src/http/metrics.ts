import type { FastifyInstance } from 'fastify';

/** The counts of a process as a scraper takes them. */
export interface Exposition {
  readonly contentType: string;
  text(): Promise<string>;
}

export function metricsRoute(app: FastifyInstance, exposition: Exposition): void {
  app.get('/metrics', { config: { isProbe: true } }, async (_request, reply) =>
    reply
      .header('content-type', exposition.contentType)
      .header('cache-control', 'no-store')
      .send(await exposition.text()),
  );
}
