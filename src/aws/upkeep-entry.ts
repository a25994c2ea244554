import { openParts } from './parts.ts';
import { upkeepFunction } from './upkeep.ts';

export const { handler } = await upkeepFunction(openParts(process.env));
