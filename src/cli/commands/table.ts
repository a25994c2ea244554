import { createTableOf, tableStatusOf } from '../../server/tables.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

const WORK = { create: createTableOf, status: tableStatusOf } as const;

/** Makes the DynamoDB table, or tells what it is like. */
export async function tableCommand(cli: Cli, action: keyof typeof WORK): Promise<ExitCode> {
  const status = await WORK[action](cli.settings());
  if (cli.screen.json) {
    await cli.screen.document(status);
    return EXIT.ok;
  }
  const { name, state, billing, ttl, pointInTimeRecovery, deletionProtection, items, sizeBytes } = status;
  const facts: readonly (readonly [string, string])[] = [
    ['table', `${name}, ${state}, ${billing}`],
    ['recovery', `${pointInTimeRecovery} (to any second of the last 35 days)`],
    ['protection', `${deletionProtection} (against deletion of the table)`],
    ['expiry', `${ttl} (what is past its time is removed)`],
    ['size', `${items} items, ${sizeBytes} bytes, as counted some hours ago`],
  ];
  await cli.screen.print(...facts.map(([fact, value]) => `${fact.padEnd(12)}${value}`));
  if (action === 'create') cli.screen.tell('Next:  BRAIN2_STORE=dynamodb brain2 serve');
  return EXIT.ok;
}
