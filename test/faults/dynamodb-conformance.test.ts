import { afterAll, expect, test } from 'vitest';
import { PATIENCE, type PatienceLimits } from '../../src/storage/dynamodb/patience.ts';
import { storeConformance } from '../conformance/store.ts';
import { tableConformance, type MadeTable, type Sizes } from '../conformance/table.ts';
import { startDynamo } from '../support/dynamo.ts';
import { FaultProxy, type Fault, type Seen } from '../support/fault-proxy.ts';
import { SEED, seeded } from './seed.ts';

// Every rule of the table and of the store, on a DynamoDB of whose requests one in eight goes wrong.

const SPOILT_OF = 8;
const random = seeded(SEED);
const FEW: Sizes = { tableCases: 10, storeCases: 10, worksAtOnce: 40 };
/** As in the product, but that nobody waits, and that a machine which stands still for seconds is waited for. */
const HASTY: PatienceLimits = {
  ...PATIENCE,
  deadlineMs: 60_000,
  attemptMs: 5_000,
  pauseMs: 1,
  longestPauseMs: 16,
};

const ANY: readonly Fault[] = [
  'throttled',
  'request lost',
  'answer lost',
  'answer cut',
  'failed after it was done',
  'answered slowly',
  'stale',
];
const OF_OPERATION: Readonly<Record<string, readonly Fault[]>> = {
  TransactWriteItems: ['conflict', 'conflict', 'answer lost'],
  BatchGetItem: ['half of it undone', 'half of it undone'],
};

const injected = new Map<string, number>();
function choose({ operation }: Seen): Fault | undefined {
  if (random.below(SPOILT_OF) > 0) return undefined;
  const fault = random.pick([...ANY, ...(OF_OPERATION[operation] ?? [])]);
  injected.set(fault, (injected.get(fault) ?? 0) + 1);
  return fault;
}

const dynamo = await startDynamo();
if (dynamo.endpoint === undefined) throw new Error('faults are injected in front of an emulator');
const proxy = await FaultProxy.before(dynamo.endpoint);
proxy.choose = choose;
afterAll(async () => {
  await proxy.close();
  await dynamo.stop();
});

async function makeTable(): Promise<MadeTable> {
  const name = await dynamo.newTable();
  const open = () => dynamo.open(name, { endpoint: proxy.endpoint, patience: HASTY });
  const [table, other] = [open(), open()];
  return {
    table,
    other,
    async dispose() {
      await Promise.all([table.close(), other.close()]);
    },
  };
}

tableConformance('a failing DynamoDB', makeTable, FEW);
storeConformance('a failing DynamoDB', makeTable, FEW);

test('every kind of fault was met', () => {
  const kinds = new Set([...ANY, ...Object.values(OF_OPERATION).flat()]);
  expect(new Set(injected.keys())).toEqual(kinds);
});
