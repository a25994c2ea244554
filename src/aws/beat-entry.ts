import { beatFunction } from './beat.ts';
import { openParts } from './parts.ts';

export const handler = beatFunction(openParts(process.env));
