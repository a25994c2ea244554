import * as common from '../../api/common.ts';
import * as bulk from '../../api/v2-bulk.ts';
import * as imports from '../../api/v2-imports.ts';
import * as linker from '../../api/v2-linker.ts';
import * as jobs from '../../api/v2-jobs.ts';
import * as tokens from '../../api/v2-tokens.ts';
import * as shapes from '../../api/v2.ts';
import { PROBLEMS } from '../errors.ts';
import type { ApiDescription } from '../openapi/document.ts';
import { exampleProblem } from '../openapi/example-problem.ts';

/** What the document of v2 says beside its routes. */
export const V2: ApiDescription = {
  version: 2,
  title: 'Brain2 API, version 2',
  description:
    'Notes are nodes, edges connect them by themselves with reasons, categories organise them. ' +
    'Times are RFC 3339 in UTC, ids are UUIDv7, enums are open: ignore values that you do not know. ' +
    'An unknown field or parameter is an error that names the nearest known one. ' +
    'A change names the version that it is of in `If-Match`; a list goes on by its cursor. ' +
    'A POST with an `Idempotency-Key` is done once, however often it is sent. ' +
    'Who calls is said by `Authorization: Bearer` and a token, but to a server of its own machine alone; what is left of the caller’s quota is told in `RateLimit`. ' +
    'Where `Accept` names application/vnd.brain2.v2+json, the Content-Type of an answer does too. ' +
    'Every refusal is a problem document (RFC 9457) with a `code`, described at /docs/errors.',
  tags: [
    { name: 'nodes', description: 'Notes, and what is related to them.' },
    {
      name: 'edges',
      description: 'Connections between notes, drawn by the engine or by people, with reasons.',
    },
    { name: 'categories', description: 'A tree of three levels that notes are put into.' },
    { name: 'graph', description: 'The whole graph as of one position in the log.' },
    { name: 'search', description: 'Ranked full text over the index that links notes.' },
    { name: 'changes', description: 'The log: everything that happened, in order.' },
    { name: 'imports', description: 'Many notes at once.' },
    { name: 'linker', description: 'Linking all notes anew: looked at, applied, reverted.' },
    { name: 'exports', description: 'Everything of an owner as a file.' },
    { name: 'jobs', description: 'Long work: how far it is, and what became of each item.' },
    {
      name: 'events',
      description: 'What happens, as it happens: as a stream, and the tickets of the socket.',
    },
    { name: 'tokens', description: 'Keys to everything of an owner: who may call, and how far.' },
    { name: 'usage', description: 'What still calls a deprecated version.' },
  ],
  shapes: [common, shapes, bulk, imports, jobs, linker, tokens],
  failures: {
    statusOf: (code) => PROBLEMS[code].status,
    content: (codes, examples) => ({
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: [...codes] } } }],
        },
        examples,
      },
    }),
    codeOf: (value) => (value as Partial<common.Problem> | null)?.code,
    example: exampleProblem,
  },
};
