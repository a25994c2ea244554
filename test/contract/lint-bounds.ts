import type { JsonObject } from '../../src/http/openapi/json.ts';

interface Reporter {
  report(problem: { readonly message: string }): void;
}

const visitor = {
  Schema: (schema: JsonObject, { report }: Reporter) => {
    for (const missing of unboundedBy(schema)) report({ message: `what is sent has a limit: ${missing}` });
  },
};

/** The linter's own rules ask nothing of the kind: every text and list that a caller may send has a limit. */
export const boundsPlugin = {
  id: 'bounds',
  rules: {
    oas3: {
      'bounded-requests': () => ({ RequestBody: visitor, Parameter: visitor }),
    },
  },
};

/** The keywords that a shape lacks to be bounded. */
export function unboundedBy(schema: JsonObject): readonly string[] {
  const { type } = schema;
  // The lines of a body as a whole are counted by nobody; each of them is.
  if (type === 'string' && !('contentSchema' in schema || 'enum' in schema || 'const' in schema))
    return 'maxLength' in schema ? [] : ['maxLength'];
  if (type === 'array') return 'maxItems' in schema ? [] : ['maxItems'];
  return [];
}
