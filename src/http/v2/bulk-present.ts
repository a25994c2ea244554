import type { FastifyRequest } from 'fastify';
import type * as api from '../../api/v2-bulk.ts';
import type { Problem } from '../../api/common.ts';
import type { BrainError } from '../../domain/error.ts';
import type { BulkOutcome, BulkResult } from '../../services/bulk-items.ts';
import { happened, pathOf, presentProblem } from '../errors.ts';
import type { Answer } from '../idempotency.ts';
import { presentEdge } from './present.ts';

/** Errors of single items as problems, each the same however often it is asked for; ours to mend, they are logged. */
export function problemsOf(request: FastifyRequest): (error: BrainError) => Problem {
  const known = new Map<BrainError, Problem>();
  return (error) => {
    const before = known.get(error);
    if (before) return before;
    const err = happened(error, `POST ${request.routeOptions.url ?? 'unknown'}`);
    const problem = presentProblem(err, pathOf(request), request.server.showsInside);
    if (problem.status >= 500) request.log.error({ err, code: err.code, kind: err.type }, 'item failed');
    known.set(error, problem);
    return problem;
  };
}

/** How the result of a bulk is answered: each item under the name that its sender gave it. */
export function bulkAnswer(
  request: FastifyRequest,
  { items, succeeded }: { readonly items: readonly unknown[]; readonly succeeded: number },
): (result: BulkResult) => Answer<api.BulkResult> {
  const problemOf = problemsOf(request);
  const present = (outcome: BulkOutcome, index: number): api.BulkItem => {
    const { clientId } = Object(items[index]) as { readonly clientId?: unknown };
    const name = { index, ...(isName(clientId) && { clientId }) };
    if ('error' in outcome) {
      const problem = problemOf(outcome.error);
      return { ...name, status: problem.status, problem };
    }
    const { id, node } = outcome;
    return { ...name, status: succeeded, id, ...(node && { etag: `"${node.version}"` }) };
  };
  return ({ outcomes, edges, isLinked, trouble }) => {
    if (trouble) problemOf(trouble);
    const presented = outcomes.map(present);
    const total = presented.length;
    const failed = presented.filter(({ problem }) => problem !== undefined).length;
    return {
      status: failed > 0 ? 207 : 200,
      body: {
        items: presented,
        summary: { total, succeeded: total - failed, failed },
        edges: edges.map(presentEdge),
        links: isLinked ? 'made' : 'promised',
      },
    };
  };
}

const MOST_NAME = 200;

const isName = (clientId: unknown): clientId is string =>
  typeof clientId === 'string' && clientId !== '' && clientId.length <= MOST_NAME;
