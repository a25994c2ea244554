import { openParts } from './parts.ts';
import { outboxFunction } from './outbox-function.ts';

export const handler = outboxFunction(openParts(process.env));
