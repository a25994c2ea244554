import { Type, type Static } from 'typebox';
import { pageOf, Problem, Timestamp, Uuid } from './common.ts';

const Count = Type.Integer({ minimum: 0 });
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(shape: T) =>
  Type.Union([shape, Type.Null()]);

export const JobStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('running'),
  Type.Literal('done'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
]);

export const Job = Type.Object({
  id: Uuid,
  kind: Type.String({ description: 'import, export; an open list' }),
  status: JobStatus,
  cancelling: Type.Boolean({ description: 'it was asked to end, and has not heeded that yet' }),
  progress: Type.Object({
    done: Type.Integer({ minimum: 0, description: 'items that are through, those that failed among them' }),
    total: OrNull(Count),
    failed: Count,
  }),
  input: Type.Record(Type.String(), Type.Unknown(), {
    description: 'what was asked, in the words of its kind',
  }),
  result: OrNull(
    Type.Record(Type.String(), Type.Unknown(), { description: 'what came of it, in the words of its kind' }),
  ),
  problem: OrNull(Problem),
  correlationId: Type.String({ maxLength: 128, description: 'of the request that asked for it' }),
  createdAt: Timestamp,
  startedAt: OrNull(Timestamp),
  updatedAt: Timestamp,
  endedAt: OrNull(Timestamp),
  expiresAt: Type.Union([Timestamp, Type.Null()], {
    description: 'from when on nothing is told of it any more',
  }),
  version: Type.Integer({ minimum: 1 }),
});
export type Job = Static<typeof Job>;

export const JobPage = pageOf(Job);

/** What became of one item of a job. */
export const JobItem = Type.Object({
  index: Type.Integer({ minimum: 0, description: 'its place among the items' }),
  key: Type.String({ description: 'what it is called where it comes from' }),
  status: Type.String({ description: 'created, updated, unchanged, failed, missing, pruned; an open list' }),
  nodeId: Type.Optional(Uuid),
  problem: Type.Optional(
    Type.Object({
      code: Type.String(),
      detail: Type.String(),
      errors: Type.Array(
        Type.Object({ pointer: Type.String(), code: Type.String(), message: Type.String() }),
      ),
    }),
  ),
  details: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description:
        'more that the kind has to say. Of an imported note: `trimmed`, what around its text did not fit; `warnings`, up to 20 of `{code, line?, message, target?}`, such as a broken link of a vault; `moreWarnings`, how many there are beyond those',
    }),
  ),
});
export type JobItem = Static<typeof JobItem>;

export const JobItemPage = pageOf(JobItem);

export const ExportInput = Type.Object(
  {
    format: Type.Union([Type.Literal('ndjson'), Type.Literal('markdown')], {
      description: 'ndjson has everything; markdown is a vault in a zip, with what files of Markdown can say',
    }),
  },
  { additionalProperties: false },
);
export type ExportInput = Static<typeof ExportInput>;
