import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { startDynamo } from '../support/dynamo.ts';
import { followConformance } from './follow.ts';
import { storeConformance } from './store.ts';
import { readAllConformance } from './read-all.ts';
import { trimConformance } from './trim.ts';
import { tableConformance, type MadeTable, type Sizes } from './table.ts';

const dynamo = await startDynamo();
afterAll(() => dynamo.stop());

/** Each call is a request of its own: a tenth of what the engines of this process are given takes the same time. */
const OVER_HTTP: Sizes = { tableCases: 25, storeCases: 20, worksAtOnce: 80 };

async function makeTable(): Promise<MadeTable> {
  const name = await dynamo.newTable();
  const table = dynamo.open(name);
  const other = dynamo.open(name);
  return {
    table,
    other,
    async dispose() {
      await Promise.all([table.close(), other.close()]);
    },
  };
}

tableConformance(`DynamoDB (${dynamo.kind})`, makeTable, OVER_HTTP);
storeConformance(`DynamoDB (${dynamo.kind})`, makeTable, OVER_HTTP);
followConformance(`DynamoDB (${dynamo.kind})`, makeTable);
trimConformance(`DynamoDB (${dynamo.kind})`, makeTable);
readAllConformance(`DynamoDB (${dynamo.kind})`, makeTable);

/** What is therefore not proven by this file; the guide says what stands in for it. */
const NOT_SHOWN_BY_EMULATORS = [
  'requests that are turned away or lost',
  'keys left unread in a batch',
  'transactions in conflict',
  'removal of expired items',
  'eventually consistent reads',
  'point-in-time recovery',
  'permissions and credentials',
];

test.runIf(dynamo.kind !== 'aws')('what the emulator cannot show is said, here and in the guide', () => {
  const guide = readFileSync(new URL('../../docs/guides/dynamodb.md', import.meta.url), 'utf8');
  const reasons = NOT_SHOWN_BY_EMULATORS.map(
    (what) => new RegExp(`^- (\\*\\*${what}\\*\\*: .*)$`, 'm').exec(guide)?.[1] ?? what,
  );
  console.info(`Not shown by ${dynamo.kind}:\n${reasons.map((reason) => `  ${reason}`).join('\n')}`);
  expect(reasons.filter((reason) => !reason.includes('**: '))).toEqual([]);
});
