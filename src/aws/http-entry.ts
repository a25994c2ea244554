import { httpFunction } from './http.ts';
import { openParts } from './parts.ts';

export const { handler } = await httpFunction(openParts(process.env));
