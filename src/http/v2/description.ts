import * as common from '../../api/common.ts';
import * as imports from '../../api/v2-imports.ts';
import * as shapes from '../../api/v2.ts';
import { BrainError } from '../../domain/error.ts';
import { PROBLEMS } from '../errors.ts';
import type { ApiDescription } from '../openapi/document.ts';

/** What the document of v2 says beside its routes. */
export const V2: ApiDescription = {
  version: 2,
  title: 'Brain2 API, version 2',
  description:
    'Notes are nodes, edges connect them by themselves with reasons, categories organise them. ' +
    'Times are RFC 3339 in UTC, ids are UUIDv7, enums are open: ignore values that you do not know. ' +
    'An unknown field or parameter is an error that names the nearest known one. ' +
    'A change names the version that it is of in `If-Match`; a list goes on by its cursor. ' +
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
  ],
  security: { schemes: {}, requirements: [{}] },
  shapes: [common, shapes, imports],
  failures: {
    mediaType: 'application/problem+json',
    schema: (codes) => ({
      allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: [...codes] } } }],
    }),
    codeOf: (value) => (value as Partial<common.Problem> | null)?.code,
    example: (code) => ({
      type: `/docs/errors#${code}`,
      title: PROBLEMS[code].title,
      status: PROBLEMS[code].status,
      detail: 'What went wrong this time, in words.',
      instance: '/api/v2/nodes',
      code,
      correlationId: 'import-2026-01-05',
      requestId: '0190a7c4-6a01-7d11-8c3e-5f0d2b8e6a1c',
      retryable: new BrainError(code, '').retryable,
    }),
  },
};
