import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v2.ts';
import type { DeprecatedCallCounter } from '../../services/deprecated-calls.ts';
import type { Replacements } from '../successors.ts';
import type { V2Needs } from './needs.ts';
import { owner } from './request.ts';

export const usageRoutes =
  ({ services, replacements }: V2Needs): Routes =>
  async (app) => {
    app.get('/usage/deprecations', { schema: { response: { 200: api.DeprecationUsage } } }, async () => ({
      items: (await services.deprecatedCalls.list(owner())).map((calls) => presentCalls(calls, replacements)),
    }));
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
