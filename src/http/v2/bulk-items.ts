import type { Static, TSchema } from 'typebox';
import { BrainError, toBrainError } from '../../domain/error.ts';
import type { BulkItem } from '../../services/bulk-items.ts';
import { checker } from '../validation.ts';

/** Reads the items of a bulk one by one: what is wrong with one is kept in its place. */
export function itemReader<S extends TSchema, T>(
  schema: S,
  read: (item: Static<S>) => T,
): (items: readonly unknown[]) => readonly BulkItem<T>[] {
  const check = checker(schema);
  return (items) =>
    items.map((item) => {
      const issues = check(item);
      if (issues.length > 0) {
        const message = issues.map((issue) => issue.message).join('; ');
        return { refused: new BrainError('invalid', message, { issues }) };
      }
      try {
        return { item: read(item as Static<S>) };
      } catch (error) {
        return { refused: toBrainError(error) };
      }
    });
}

/** Throws `invalid` where two items have the same name: their answers could not be told apart, nor their order. */
export function refuseRepeated(items: readonly unknown[], field: 'clientId' | 'id'): void {
  const first = new Map<string, number>();
  const issues = items.flatMap((item, index) => {
    const name = nameOf(item, field);
    if (name === undefined) return [];
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, index);
      return [];
    }
    const message = `${field} is that of item ${before} already`;
    return [{ pointer: `/items/${index}/${field}`, code: 'duplicate', message }];
  });
  if (issues.length === 0) return;
  throw new BrainError('invalid', `a ${field} stands twice in this request, so nothing was done`, {
    issues: issues.slice(0, MOST_ISSUES),
  });
}

const MOST_ISSUES = 100;

function nameOf(item: unknown, field: 'clientId' | 'id'): string | undefined {
  const name = (Object(item) as Readonly<Record<string, unknown>>)[field];
  if (typeof name !== 'string') return undefined;
  return field === 'id' ? name.toLowerCase() : name;
}
