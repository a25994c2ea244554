import { Ajv } from 'ajv';
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import type { Issue } from '../domain/error.ts';
import { nearest } from '../shared/nearest.ts';

/** What Ajv says of one broken rule. */
export interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly parentSchema?: { readonly properties?: Readonly<Record<string, unknown>> };
}

const COMMON = { allErrors: true, useDefaults: true, verbose: true, strict: false } as const;

/**
 * Bodies are taken as they are; only a query and a path, which are text by nature, are read as numbers and booleans.
 * Nothing unknown is removed in silence: it is an error that names what was meant.
 */
export function useStrictValidation(app: FastifyInstance): void {
  const asIs = new Ajv({ ...COMMON, coerceTypes: false, removeAdditional: false });
  const fromText = new Ajv({ ...COMMON, coerceTypes: true, removeAdditional: false });
  const compiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) =>
    (httpPart === 'body' ? asIs : fromText).compile(schema);
  app.setValidatorCompiler(compiler);
}

/** A check of single values outside of requests, such as the lines of an import. */
export function checker(schema: TSchema): (value: unknown) => readonly Issue[] {
  const validate = new Ajv({ ...COMMON, coerceTypes: false, removeAdditional: false }).compile(schema);
  return (value) =>
    validate(value) ? [] : issuesOfValidation((validate.errors ?? []) as unknown as SchemaError[]);
}

/** Every broken rule as an issue; of the branches of a union only what they have in common is told. */
export function issuesOfValidation(errors: readonly SchemaError[]): readonly Issue[] {
  const unions = new Set(
    errors.filter((error) => error.keyword === 'anyOf').map((error) => error.instancePath),
  );
  return errors
    .filter((error) => error.keyword === 'anyOf' || !unions.has(error.instancePath))
    .map((error) => issueOf(error, errors));
}

function issueOf(error: SchemaError, all: readonly SchemaError[]): Issue {
  const { keyword, instancePath, params } = error;
  const where = instancePath === '' ? 'it' : instancePath.slice(1).replaceAll('/', '.');
  if (keyword === 'additionalProperties') return unknownField(error);
  if (keyword === 'required') {
    const field = String(params['missingProperty']);
    return { pointer: `${instancePath}/${field}`, code: 'required', message: `${field} is required` };
  }
  if (keyword === 'anyOf') {
    const allowed = all
      .filter((other) => other.instancePath === instancePath && other.keyword === 'const')
      .map((other) => JSON.stringify(other.params['allowedValue']));
    const message =
      allowed.length > 0 ? `${where} must be one of ${allowed.join(', ')}` : `${where} is of no allowed form`;
    return { pointer: instancePath, code: 'enum', message };
  }
  return { pointer: instancePath, code: keyword, message: `${where} ${error.message ?? 'is invalid'}` };
}

function unknownField({ instancePath, params, parentSchema }: SchemaError): Issue {
  const field = String(params['additionalProperty']);
  const allowed = Object.keys(parentSchema?.properties ?? {});
  const meant = nearest(field, allowed);
  return {
    pointer: `${instancePath}/${field}`,
    code: 'unknown_field',
    message: `${field} is not known here${meant === undefined ? '' : `; did you mean ${meant}?`} Allowed: ${allowed.join(', ')}`,
  };
}
