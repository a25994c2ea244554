import type { FastifyInstance } from 'fastify';
import { Versions } from '../api/versions.ts';
import { mediaTypeOf, newestOf, oldestOf, prefixOf, VERSIONS } from './versions.ts';

const LISTED: Versions = {
  current: newestOf(VERSIONS).number,
  default: oldestOf(VERSIONS).number,
  versions: VERSIONS.map(({ number, status, released, deprecated, sunset, successor, docs }) => ({
    version: number,
    status,
    path: prefixOf({ number }),
    mediaType: mediaTypeOf({ number }),
    released,
    ...(deprecated !== undefined && { deprecated }),
    ...(sunset !== undefined && { sunset }),
    ...(successor !== undefined && { successor }),
    docs,
  })),
};

export function versionList(app: FastifyInstance): void {
  app.get(
    '/api/versions',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'listVersions',
        summary: 'List the versions of the API',
        description: 'Which are served, which of them are deprecated and until when. Of no version itself.',
        tags: ['versions'],
        response: { 200: Versions },
      },
    },
    async () => LISTED,
  );
}
