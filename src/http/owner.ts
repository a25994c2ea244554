import { ownerId, type OwnerId } from '../domain/values.ts';
import { requestContext } from './context.ts';

/** Whose notes the request is about: it sees and changes those of nobody else. */
export function owner(): OwnerId {
  return ownerId(requestContext().ownerId);
}
