import { randomBytes } from 'node:crypto';
import { instant, tokenId, type OwnerId } from '../domain/values.ts';
import { SharedTickets } from '../realtime/shared-tickets.ts';
import { accessOf } from '../server/authenticate.ts';
import { socketsOfOwner } from '../server/settings.ts';
import { ownerService } from '../services/owners.ts';
import { tokenService, type TokenService } from '../services/tokens.ts';
import { currentContext, runInBackground } from '../shared/context.ts';
import { createLog, type Log } from '../shared/log.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import { dynamoClient } from '../storage/dynamodb/dynamo-client.ts';
import { DynamoTable } from '../storage/dynamodb/dynamo-table.ts';
import { Store } from '../storage/store.ts';
import type { Table } from '../storage/table.ts';
import { Connections } from './connections.ts';
import { Conversation } from './conversation.ts';
import { Delivery } from './delivery.ts';
import { managementGateway, type Gateway } from './gateway.ts';
import { readFunctionSettings, type FunctionSettings } from './settings.ts';

/** What every function stands on. Nothing is asked of anybody until it is used. */
export interface Parts extends FunctionSettings {
  readonly log: Log;
  readonly table: Table;
  readonly store: Store;
  readonly connections: Connections;
  readonly gateway: Gateway;
  readonly delivery: Delivery;
  readonly tokens: TokenService;
  readonly nowMs: () => number;
  /** Runs work in a context of its own, for the log. */
  readonly inContext: <T>(owner: OwnerId | undefined, work: () => T) => T;
}

/** Throws `invalid` for wrong settings. */
export function openParts(
  environment: Readonly<Record<string, string | undefined>>,
  nowMs: () => number = Date.now,
): Parts {
  const functionSettings = readFunctionSettings(environment);
  const { settings, socketEndpoint } = functionSettings;
  const log = createLog({ level: settings.logLevel, format: 'json' });
  const newId = uuidv7Generator(nowMs);
  const table = new DynamoTable({
    client: dynamoClient(environment),
    tableName: settings.table,
    nowSeconds: () => Math.floor(nowMs() / 1000),
  });
  const store = new Store({
    table,
    now: () => instant(nowMs()),
    newEpoch: newId,
    correlationId: () => currentContext()?.correlationId ?? '-',
  });
  const connections = new Connections({ table, nowMs });
  const gateway = managementGateway(socketEndpoint);
  const delivery = new Delivery({ log: store, connections, gateway, nowMs });
  const tokens = tokenService({ store, newTokenId: () => tokenId(newId()), nowMs });
  const inContext = <T>(owner: OwnerId | undefined, work: () => T): T =>
    runInBackground({ ownerId: owner ?? '-', id: newId() }, work);
  const own = { log, table, store, connections, gateway, delivery, tokens, nowMs, inContext };
  return { ...functionSettings, ...own };
}

/** The other side of what clients say on their connections. */
export async function openConversation(parts: Parts): Promise<{
  readonly conversation: Conversation;
  readonly tickets: SharedTickets;
}> {
  const { settings, table, store, connections, delivery, tokens, nowMs } = parts;
  const services = { owners: ownerService({ store, resident: undefined }), tokens };
  const operatorKey = randomBytes(32); // no command speaks to a function as the operator
  const { authenticate } = await accessOf(settings, { services, operatorKey, nowMs });
  const tickets = new SharedTickets({ table, nowMs });
  const { stands } = tokens;
  const mostOfOwner = socketsOfOwner(settings);
  const needs = { log: store, connections, delivery, tickets, authenticate, stands, mostOfOwner, nowMs };
  return { conversation: new Conversation(needs), tickets };
}
