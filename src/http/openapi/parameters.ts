import type { TSchema } from 'typebox';
import { Uuid } from '../../api/common.ts';
import type { Example } from './example.ts';
import { headerParameters } from './headers.ts';
import { compact, type JsonObject } from './json.ts';
import type { DescribedRoute } from './operation.ts';
import type { Schemas } from './schemas.ts';

/** What one of each collection is called; an id in the path stands behind its collection. */
const NOUNS: Readonly<Record<string, string>> = {
  nodes: 'note',
  related: 'other note',
  edges: 'edge',
  categories: 'category',
  tokens: 'token',
};

/** The parameters of a route: of its path, its query and its headers. */
export function parametersOf(
  { url, schema }: DescribedRoute,
  schemas: Schemas,
  examples: readonly Example[],
): readonly JsonObject[] {
  const example = (name: string): string | undefined =>
    examples.find(({ parameters }) => name in parameters)?.parameters[name];
  const segments = url.split('/');
  const ids = segments.flatMap((segment, index) => {
    if (!segment.startsWith(':')) return [];
    const name = segment.slice(1);
    const shape = propertiesOf(schema.params)[name];
    return [
      compact({
        name,
        in: 'path',
        required: true,
        description: sentence(
          shape?.description ?? `the id of the ${NOUNS[segments[index - 1] ?? ''] ?? 'thing'}`,
        ),
        schema: schemas.of(shape ?? Uuid),
        example: example(name),
      }),
    ];
  });
  const { required = [] }: { required?: readonly string[] } = schema.querystring ?? {};
  const query = Object.entries(propertiesOf(schema.querystring)).map(([name, shape]) => {
    const { description: _told, ...converted } = schemas.of(shape); // by the parameter itself
    const text = example(name);
    return compact({
      name,
      in: 'query',
      required: required.includes(name),
      description: sentence(shape.description ?? ''),
      schema: converted,
      example: text === undefined ? undefined : typed(text, converted),
    });
  });
  return [...ids, ...query, ...headerParameters(schema.takes ?? [])];
}

interface Described extends TSchema {
  readonly description?: string;
}

function propertiesOf(schema: TSchema | undefined): Readonly<Record<string, Described>> {
  const { properties = {} }: { properties?: Readonly<Record<string, Described>> } = schema ?? {};
  return properties;
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;

/** A parameter is text; its example is of the type that it is read as. */
function typed(text: string, { type }: JsonObject): string | number | boolean {
  if (type === 'integer' || type === 'number') return Number(text);
  return type === 'boolean' ? text === 'true' : text;
}
