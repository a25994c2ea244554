import { openParts } from './parts.ts';
import { socketFunction } from './socket.ts';

export const { handler, authorize } = await socketFunction(openParts(process.env));
