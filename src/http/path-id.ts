import type { FastifyRequest } from 'fastify';
import { BrainError } from '../domain/error.ts';

/** The id in the path; one that is no id at all names nothing: `not_found`. */
export function idOf<T>(request: FastifyRequest, parse: (text: string) => T, parameter = 'id'): T {
  const text = (request.params as Record<string, string>)[parameter] ?? '';
  try {
    return parse(text);
  } catch {
    throw new BrainError('not_found', `there is nothing of the id "${text.slice(0, 100)}"`, {
      operation: 'http.id',
    });
  }
}
