import type { FastifyInstance } from 'fastify';
import { instant } from '../domain/values.ts';
import type { DeprecatedCallCounter } from '../services/deprecated-calls.ts';
import { owner } from './owner.ts';
import { templateOf } from './successors.ts';

/** Counts each call of the routes of `scope` for the owner and the token that make it. */
export function countCalls(scope: FastifyInstance, counter: DeprecatedCallCounter): void {
  // Of a scope, so that it runs after those of the whole application: the caller is known by then.
  scope.addHook('onRequest', (request, _reply, done) => {
    const { url } = request.routeOptions;
    if (url !== undefined) {
      const operation = `${request.method} ${templateOf(url)}`;
      const tokenId = request.principal?.tokenId;
      counter.count(owner(), { operation, tokenId }, instant(Date.now()));
    }
    done();
  });
}
