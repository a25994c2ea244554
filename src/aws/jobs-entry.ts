import { jobsFunction } from './jobs.ts';
import { openParts } from './parts.ts';

export const { handler } = await jobsFunction(openParts(process.env));
