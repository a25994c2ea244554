import * as common from '../../api/common.ts';
import * as shapes from '../../api/v1.ts';
import type { ErrorCode } from '../../domain/error.ts';
import { PROBLEMS } from '../errors.ts';
import type { ApiDescription } from '../openapi/document.ts';
import { exampleProblem } from '../openapi/example-problem.ts';
import { presentV1Error } from './errors.ts';

/** Refused before it is known which version is asked for, so not in the form of v1. */
const OF_NO_VERSION: ReadonlySet<ErrorCode> = new Set(['version_malformed', 'version_conflict']);

const statusOf = (code: ErrorCode): number =>
  presentV1Error(exampleProblem(code) as unknown as common.Problem).status;

/** What the document of v1 says beside its routes. */
export const V1: ApiDescription = {
  version: 1,
  title: 'Brain2 API, version 1',
  description:
    'The first public contract, kept whole for old clients and deprecated: new ones start with version 2, and the guide at /docs/guides/migrate-v1-v2 says how to move on. ' +
    'Every answer says since when it is deprecated, until when it is served, and what replaces the operation. ' +
    'Fields that are not known are ignored. Where `Accept` names application/vnd.brain2.v1+json, the Content-Type of an answer does too. ' +
    'Who calls is said by `Authorization: Bearer` and a token, but to a server of its own machine alone. ' +
    'A refusal is `{"error": "message"}`; the codes named here are those of /docs/errors.',
  tags: [
    { name: 'nodes', description: 'Notes.' },
    { name: 'categories', description: 'Categories, and the notes in them.' },
    { name: 'graph', description: 'The graph, for a drawing.' },
  ],
  sends: ['deprecation'],
  shapes: [shapes, common],
  failures: {
    statusOf,
    content: (codes, examples) => ({
      'application/json': {
        schema: { $ref: '#/components/schemas/ErrorBody' },
        examples: Object.fromEntries(
          Object.entries(examples).filter(([code]) => !OF_NO_VERSION.has(code as ErrorCode)),
        ),
      },
      ...(codes.some((code) => OF_NO_VERSION.has(code)) && {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/Problem' },
          examples: Object.fromEntries(
            Object.entries(examples).filter(([code]) => OF_NO_VERSION.has(code as ErrorCode)),
          ),
        },
      }),
    }),
    codeOf: () => undefined, // an answer of v1 tells none
    example: (code) => (OF_NO_VERSION.has(code) ? exampleProblem(code) : { error: PROBLEMS[code].title }),
  },
};
