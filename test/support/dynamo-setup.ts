import { afterAll } from 'vitest';
import { startDynamo } from './dynamo.ts';

// Runs before each test file of `npm run test:dynamodb`: an emulator for it, where the SDK looks for one.
const { endpoint, stop } = await startDynamo();
if (endpoint === undefined)
  throw new Error('the HTTP tests need a table each, so they run on an emulator alone');
process.env['AWS_ENDPOINT_URL_DYNAMODB'] = endpoint;
afterAll(stop);
