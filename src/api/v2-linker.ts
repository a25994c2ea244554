import { Type, type Static } from 'typebox';
import { described, paged, pageOf, Timestamp, Uuid } from './common.ts';
import { Reason } from './v2.ts';

const Count = Type.Integer({ minimum: 0 });
const ChangeName = Type.Union([Type.Literal('added'), Type.Literal('removed'), Type.Literal('changed')]);
const weightOr = (description: string) =>
  Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], { description });

export const RelinkInput = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Boolean({ default: true, description: 'say what would change, and change nothing' }),
    ),
  },
  { additionalProperties: false },
);

export const EdgeChange = Type.Object({
  change: ChangeName,
  sourceId: Uuid,
  targetId: Uuid,
  edgeId: Type.Union([Uuid, Type.Null()], { description: 'null for one that a dry run would add' }),
  weightBefore: weightOr('null for one that is added'),
  weight: weightOr('after the change; null for one that is removed'),
  reasons: Type.Array(Reason, { maxItems: 8, description: 'of the edge as it is after the change, or was' }),
});
export type EdgeChange = Static<typeof EdgeChange>;

const Samples = Type.Array(EdgeChange, { maxItems: 10, description: 'the strongest' });

export const LinkerRun = Type.Object({
  id: Uuid,
  action: Type.Union([Type.Literal('preview'), Type.Literal('apply'), Type.Literal('revert')], {
    description: 'preview: a dry run',
  }),
  of: Type.Union([Uuid, Type.Null()], { description: 'the run that this one applies or reverts' }),
  status: Type.Union(
    [
      Type.Literal('queued'),
      Type.Literal('running'),
      Type.Literal('done'),
      Type.Literal('failed'),
      Type.Literal('cancelled'),
    ],
    { description: 'done, failed and cancelled are the ends' },
  ),
  progress: Type.Object({
    done: described(Count, 'notes, or changes that are reverted'),
    total: Type.Union([Count, Type.Null()]),
  }),
  result: Type.Union([
    Type.Object({
      added: Count,
      removed: Count,
      changed: described(Count, 'edges with another weight, or asked for by another of their notes'),
      kept: described(Count, 'automatic edges that stay as they are'),
      asPlanned: Type.Optional(described(Count, 'of the changes, those that the dry run said')),
      otherwise: Type.Optional(
        described(
          Count,
          'changes of the dry run or of this one that are not of both: notes were written since',
        ),
      ),
      left: Type.Optional(described(Count, 'changes that were not reverted, for the edge changed since')),
      samples: Type.Object({ added: Samples, removed: Samples, changed: Samples }),
    }),
    Type.Null(),
  ]),
  problem: Type.Union([
    Type.Object({ code: Type.String({ maxLength: 100 }), detail: Type.String({ maxLength: 2000 }) }),
    Type.Null(),
  ]),
  createdAt: Timestamp,
  startedAt: Type.Union([Timestamp, Type.Null()]),
  endedAt: Type.Union([Timestamp, Type.Null()]),
});
export type LinkerRun = Static<typeof LinkerRun>;

export const LinkerRunPage = pageOf(LinkerRun);
export const EdgeChangePage = pageOf(EdgeChange);

export const LinkerRunQuery = Type.Object({ ...paged }, { additionalProperties: false });
export const EdgeChangeQuery = Type.Object(
  { change: Type.Optional(ChangeName), ...paged },
  { additionalProperties: false },
);
