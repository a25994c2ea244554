import type { FastifyRequest } from 'fastify';
import type { Problem } from '../api/common.ts';
import { presentV1Error } from './v1/errors.ts';
import { versionOf } from './version-headers.ts';

/** A failure as one version words it. */
export interface PresentedError {
  readonly status: number;
  readonly contentType: string;
  readonly body: unknown;
}

type Present = (problem: Problem) => PresentedError;

/** Those of versions that have a form of their own; the others answer with the problem document. */
const OF_VERSION: ReadonlyMap<number, Present> = new Map([[1, presentV1Error]]);

const asProblem: Present = (problem) => ({
  status: problem.status,
  contentType: 'application/problem+json',
  body: problem,
});

/** How the version that the request is for words its failures. */
export function presenterOf(request: FastifyRequest): Present {
  return OF_VERSION.get(versionOf(request).number) ?? asProblem;
}
