import { afterAll } from 'vitest';
import { startDynamo } from '../support/dynamo.ts';
import { storeConformance } from './store.ts';
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
