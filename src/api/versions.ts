import { Type, type Static } from 'typebox';

const Day = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', maxLength: 10, description: 'yyyy-mm-dd, UTC' });

/** The versions of the API; itself of none. */
export const Versions = Type.Object({
  /** Where to start today. */
  current: Type.Integer({ minimum: 1 }),
  default: Type.Integer({ minimum: 1, description: 'what answers where no version is named' }),
  versions: Type.Array(
    Type.Object({
      version: Type.Integer({ minimum: 1 }),
      status: Type.Union([Type.Literal('current'), Type.Literal('deprecated'), Type.Literal('retired')]),
      path: Type.String(),
      mediaType: Type.String({ description: 'for Accept, at addresses without a version' }),
      released: Day,
      deprecated: Type.Optional(Day),
      sunset: Type.Optional(Day),
      successor: Type.Optional(Type.Integer({ minimum: 1 })),
      docs: Type.String(),
    }),
  ),
});
export type Versions = Static<typeof Versions>;
