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
  /** What was looked at. */
  readonly data?: unknown;
  readonly parentSchema?: { readonly properties?: Readonly<Record<string, unknown>> };
}

const COMMON = {
  allErrors: true,
  useDefaults: true,
  verbose: true,
  strict: false,
  // The schemas are our own: checking them at every start took 45 ms.
  meta: false,
  validateSchema: false,
} as const;

/**
 * Bodies are taken as they are; only a query and a path, which are text by nature, are read as numbers and booleans.
 * Nothing unknown is removed in silence: it is an error that names what was meant.
 */
export function useStrictValidation(app: FastifyInstance): void {
  app.setValidatorCompiler(strictCompiler());
}

/** The same for a route whose body is described whole, and of which this much is checked before its handler. */
export function strictCompiler(bodySoFar?: TSchema): FastifySchemaCompiler<TSchema> {
  const asIs = new Ajv({ ...COMMON, coerceTypes: false, removeAdditional: false });
  const fromText = new Ajv({ ...COMMON, coerceTypes: true, removeAdditional: false });
  return ({ schema, httpPart }) =>
    httpPart === 'body' ? asIs.compile(bodySoFar ?? schema) : fromText.compile(schema);
}

/** A check of single values outside of requests, such as the lines of an import. */
export function checker(schema: TSchema): (value: unknown) => readonly Issue[] {
  const validate = new Ajv({ ...COMMON, coerceTypes: false, removeAdditional: false }).compile(schema);
  return (value) =>
    validate(value) ? [] : issuesOfValidation((validate.errors ?? []) as unknown as SchemaError[]);
}

/** Issues told at once: a body of a megabyte can break a rule half a million times. */
const MAX_ISSUES = 100;
const MAX_NAME = 100;
/** What says that a branch of a union is not the one meant, and not what is wrong with it. */
const BRANCH_KEYWORDS: ReadonlySet<string> = new Set(['type', 'const']);

/** Every broken rule as an issue, as far as they can be told. */
export function issuesOfValidation(errors: readonly SchemaError[]): readonly Issue[] {
  const told = errors.slice(0, MAX_ISSUES * 10);
  const unions = told.filter((error) => error.keyword === 'anyOf');
  return told
    .filter((error) => !isNoise(error, unions, told))
    .slice(0, MAX_ISSUES)
    .map((error) => issueOf(error, told));
}

/**
 * Of a union, either the rules that its fitting branch breaks, or the union itself with what it allows: a title that
 * is too long is not told to be `null` instead.
 */
function isNoise(error: SchemaError, unions: readonly SchemaError[], all: readonly SchemaError[]): boolean {
  if (error.keyword === 'anyOf') return all.some((other) => isInBranch(other, error));
  if (!BRANCH_KEYWORDS.has(error.keyword)) return false;
  return unions.some((union) => union.instancePath === error.instancePath);
}

function isInBranch({ keyword, instancePath }: SchemaError, union: SchemaError): boolean {
  if (keyword === 'anyOf') return false;
  if (instancePath.startsWith(`${union.instancePath}/`)) return true;
  return instancePath === union.instancePath && !BRANCH_KEYWORDS.has(keyword);
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
    const allowed = all.filter((other) => other.instancePath === instancePath).flatMap(allowedBy);
    const message =
      allowed.length > 0 ? `${where} must be one of ${allowed.join(', ')}` : `${where} is of no allowed form`;
    return { pointer: instancePath, code: 'enum', message };
  }
  return { pointer: instancePath, code: keyword, message: `${where} ${error.message ?? 'is invalid'}` };
}

function allowedBy({ keyword, params }: SchemaError): readonly string[] {
  if (keyword === 'const') return [JSON.stringify(params['allowedValue'])];
  return keyword === 'type' ? [String(params['type'])] : [];
}

function unknownField({ instancePath, params, parentSchema }: SchemaError): Issue {
  const field = String(params['additionalProperty']).slice(0, MAX_NAME).toWellFormed();
  const allowed = Object.keys(parentSchema?.properties ?? {});
  const meant = nearest(field, allowed);
  const hint = meant === undefined ? '; none are' : `; did you mean ${meant}? Allowed: ${allowed.join(', ')}`;
  return {
    pointer: `${instancePath}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`, // RFC 6901
    code: 'unknown_field',
    message: `${field} is not known here${hint}`,
  };
}
