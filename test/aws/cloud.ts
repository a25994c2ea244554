import { onTestFinished } from 'vitest';
import { beatFunction } from '../../src/aws/beat.ts';
import { DETAIL_TYPES } from '../../src/aws/detail-types.ts';
import type { StreamEvent } from '../../src/aws/events.ts';
import { httpFunction } from '../../src/aws/http.ts';
import { outboxFunction } from '../../src/aws/outbox-function.ts';
import { openParts } from '../../src/aws/parts.ts';
import { repairFunction } from '../../src/aws/repair.ts';
import { socketFunction } from '../../src/aws/socket.ts';
import { upkeepFunction } from '../../src/aws/upkeep.ts';
import { connectBrain } from '../../src/client/client.ts';
import { ownerId, tokenId } from '../../src/domain/values.ts';
import { tokenService } from '../../src/services/tokens.ts';
import { uuidv7Generator } from '../../src/shared/uuid.ts';
import { pks } from '../../src/storage/keys.ts';
import { everyItem } from '../../src/storage/table.ts';
import { AwsStandIn } from './stand-in.ts';
import type { TestDynamo } from '../support/dynamo.ts';

/** A whole Brain2 on functions: ours, on stand-ins for what AWS would be. */
export type Cloud = Awaited<ReturnType<typeof newCloud>>;

/** One emulator for a file of tests; each `newCloud` has a table of its own. */
export async function newCloud(
  dynamo: TestDynamo,
  {
    nowMs = Date.now,
    random,
    settings = {},
  }: {
    readonly nowMs?: () => number;
    readonly random?: () => number;
    readonly settings?: Readonly<Record<string, string>>;
  } = {},
) {
  const aws = await AwsStandIn.start(random);
  const environment = {
    ...aws.environment,
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint ?? '',
    BRAIN2_TABLE: await dynamo.newTable(),
    BRAIN2_AUTH: 'token',
    BRAIN2_LOG_LEVEL: 'silent',
    BRAIN2_RATE_LIMIT: 'off',
    ...settings,
  };
  Object.assign(process.env, aws.environment, { AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint });
  const parts = openParts(environment, nowMs);
  const http = await httpFunction(parts);
  const { handler: socket, authorize } = await socketFunction(parts);
  const repair = repairFunction(parts);
  const outbox = outboxFunction(parts);
  aws.deploy({ http: http.handler, socket, authorize });
  const tokens = tokenService({
    store: parts.store,
    newTokenId: () => tokenId(uuidv7Generator(nowMs)()),
    nowMs,
  });
  const seen = new Map<string, string>();

  /** Another instance of the function, which has nothing in memory. */
  async function coldStart(): Promise<() => Promise<void>> {
    const { handler, close } = await httpFunction(parts);
    aws.deploy({ http: handler, socket, authorize });
    return close;
  }

  /** What the table's stream would tell of since the last time. */
  async function records(): Promise<StreamEvent['Records']> {
    const found: StreamEvent['Records'][number][] = [];
    for await (const { sk: owner } of everyItem(parts.table, pks.owners())) {
      const pk = pks.log(ownerId(owner));
      const { items } = await parts.table.query(pk, { after: seen.get(owner) });
      for (const { sk } of items) {
        found.push({
          eventName: 'INSERT',
          dynamodb: { SequenceNumber: `${owner}-${sk}`, Keys: { pk: { S: pk }, sk: { S: sk } } },
        });
        seen.set(owner, sk);
      }
    }
    return found;
  }

  onTestFinished(async () => {
    await aws.cut();
    await aws.quiet();
    await http.close(); // which stores the indexes
    await aws.stop();
    await parts.table.close();
  });
  return {
    aws,
    parts,
    environment,
    outbox,
    coldStart,
    http: http.handler,
    beat: beatFunction(parts),
    upkeep: () => upkeepFunction(parts),
    /** The rule that has what was missed posted. */
    withRepair: () => aws.rule(DETAIL_TYPES, repair),
    /** The table's stream wakes the outbox, as often as it fails. */
    async stream(): Promise<void> {
      for (let Records = await records(); Records.length > 0;) {
        const { batchItemFailures } = await outbox({ Records });
        const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        Records = Records.filter(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? ''));
      }
      await aws.quiet();
    },
    /** A client of an owner, over a real socket and real requests. */
    async clientOf(owner: string, expiresAt?: string) {
      const { secret } = await tokens.create(ownerId(owner), {
        name: owner,
        scopes: ['read', 'write'],
        ...(expiresAt !== undefined && { expiresAt }),
      });
      return { ...connectBrain({ url: aws.url, token: secret }), secret };
    },
  };
}
