import { openParts } from './parts.ts';
import { repairFunction } from './repair.ts';

export const handler = repairFunction(openParts(process.env));
