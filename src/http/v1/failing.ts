import { ErrorBody } from '../../api/v1.ts';

/** The failures that a route tells of in its schema, all of one shape. */
export function failing<S extends 400 | 404 | 409>(
  ...statuses: readonly S[]
): { readonly [K in S]: typeof ErrorBody } {
  const shapes = Object.fromEntries(statuses.map((status) => [status, ErrorBody]));
  return shapes as { readonly [K in S]: typeof ErrorBody };
}
