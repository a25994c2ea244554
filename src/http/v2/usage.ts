import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v2.ts';
import type { DeprecatedCallCounter } from '../../services/deprecated-calls.ts';
import type { Replacements } from '../successors.ts';
import type { V2Needs } from './needs.ts';
import { owner } from './request.ts';

export const usageRoutes =
  ({ services, replacements }: V2Needs): Routes =>
  async (app) => {
    app.get(
      '/usage/deprecations',
      {
        schema: {
          operationId: 'listDeprecatedCalls',
          summary: 'List calls of what is deprecated',
          description:
            'Which of your clients still call which operation of a deprecated version, how often, when last, and what replaces it.',
          tags: ['usage'],
          response: { 200: api.DeprecationUsage },
        },
      },
      async () => {
        const calls = await services.deprecatedCalls.list(owner());
        return { items: calls.map((one) => presentCalls(one, replacements)) };
      },
    );
  };

type DeprecatedCalls = Awaited<ReturnType<DeprecatedCallCounter['list']>>[number];

function presentCalls(
  { operation, tokenId, count, firstAt, lastAt }: DeprecatedCalls,
  replacements: Replacements,
): api.DeprecationUsage['items'][number] {
  const [method = '', path = ''] = operation.split(' ');
  const { version, successor } = replacements.get(operation) ?? {};
  return {
    method,
    path,
    ...(tokenId !== undefined && { tokenId }),
    count,
    firstAt,
    lastAt,
    successor: successor ?? null,
    sunset: version?.sunset ?? null,
    docs: version?.docs ?? null,
  };
}
