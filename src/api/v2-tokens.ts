import { Type, type Static } from 'typebox';
import { Timestamp, Uuid } from './common.ts';

const Scopes = Type.Array(Type.Union([Type.Literal('read'), Type.Literal('write'), Type.Literal('admin')]), {
  minItems: 1,
  maxItems: 3,
  description: 'read; write, which includes it; admin, which includes both and manages tokens',
});
const TokenName = Type.String({ minLength: 1, maxLength: 100, description: 'for people' });

export const TokenInput = Type.Object(
  {
    name: TokenName,
    scopes: Type.Optional(Scopes),
    expiresAt: Type.Optional({ ...Timestamp, description: 'RFC 3339; absent: it does not end by itself' }),
  },
  { additionalProperties: false },
);
export type TokenInput = Static<typeof TokenInput>;

const tokenFields = {
  id: Uuid,
  name: TokenName,
  scopes: Scopes,
  createdAt: Timestamp,
  expiresAt: Type.Union([Timestamp, Type.Null()]),
};

export const Token = Type.Object(tokenFields);
export type Token = Static<typeof Token>;

export const TokenList = Type.Object({ items: Type.Array(Token) });

export const NewToken = Type.Object({
  ...tokenFields,
  secret: Type.Union([Type.String({ maxLength: 100 }), Type.Null()], {
    description: 'shown this once; null where the answer is given again for the same Idempotency-Key',
  }),
});
export type NewToken = Static<typeof NewToken>;
