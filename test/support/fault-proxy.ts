import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** What goes wrong with a request. No emulator shows any of it by itself. */
export type Fault =
  /** Not carried out: DynamoDB has no capacity for it. */
  | 'throttled'
  /** Not carried out: the transaction met another at one of its items. */
  | 'conflict'
  /** Not carried out: the connection dies before the request is through. */
  | 'request lost'
  /** Carried out, and the connection dies before its answer. */
  | 'answer lost'
  /** Carried out, and half of the answer comes before the connection dies. */
  | 'answer cut'
  /** Carried out, and answered as a failure of the service. */
  | 'failed after it was done'
  /** Carried out, and never answered. */
  | 'no answer'
  /** Carried out only after the client has given up and, most likely, sent it again. */
  | 'done too late'
  /** Carried out at once, and answered after a while. */
  | 'answered slowly'
  /** Answered as it was when the same was asked for the first time, unless a consistent read was asked for. */
  | 'stale'
  /** Of a batch only the first half is read or written; of anything else, nothing. */
  | 'half of it undone';

/** A request as the fault's chooser sees it. */
export interface Seen {
  /** Such as `TransactWriteItems`. */
  readonly operation: string;
  readonly body: string;
}

const IN_CONFLICT = {
  Message: 'Transaction cancelled',
  CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict', Message: 'in conflict' }],
};

/** A while: more than any answer takes by itself, less than a client's patience. */
const SLOW_MS = 40;

interface BatchGet {
  readonly RequestItems: Readonly<Record<string, { readonly Keys: readonly unknown[] }>>;
}

interface BatchWrite {
  readonly RequestItems: Readonly<Record<string, readonly unknown[]>>;
}

interface Answer {
  readonly status: number;
  readonly headers: { readonly 'content-type': string };
  readonly body: Buffer;
}

/** A DynamoDB in front of another: passes requests on, but for those that `choose` wants spoilt. */
export class FaultProxy {
  /** Every request, in the order in which they came. */
  readonly seen: Seen[] = [];
  choose: (request: Seen) => Fault | undefined = () => undefined;
  readonly #target: string;
  /** The first answer to each read that was not to be consistent. */
  readonly #first = new Map<string, Answer>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  private constructor(target: string) {
    this.#target = target;
  }

  static async before(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many requests of this operation came. */
  count(operation: string): number {
    return this.seen.filter((request) => request.operation === operation).length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await buffer(request)).toString();
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const seen = { operation, body };
    this.seen.push(seen);
    const fault = this.choose(seen);
    if (fault === 'request lost') return void response.destroy();
    if (fault === 'throttled') return refuse(response, 'ThrottlingException', { message: 'Rate exceeded' });
    if (fault === 'conflict') return refuse(response, 'TransactionCanceledException', IN_CONFLICT);
    if (fault === 'half of it undone') {
      const half = operation === 'BatchWriteItem' ? this.#halfWritten : this.#halfRead;
      return half.call(this, request, response, body);
    }
    if (fault === 'done too late') {
      await once(response, 'close');
      await this.#pass(request, body);
      return;
    }
    const answer = await this.#read(request, seen, fault === 'stale');
    if (fault === 'no answer') return;
    if (fault === 'answered slowly') await delay(SLOW_MS);
    if (fault === 'answer lost') return void response.destroy();
    if (fault === 'failed after it was done') {
      return refuse(response, 'InternalServerError', { message: 'internal' }, 500);
    }
    if (fault === 'answer cut') {
      response.writeHead(200, { ...answer.headers, 'content-length': answer.body.length });
      response.write(answer.body.subarray(0, answer.body.length / 2), () => response.destroy());
      return;
    }
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** Emulators have one copy, so what a second one may say is made here. */
  async #read(request: IncomingMessage, { operation, body }: Seen, isStale: boolean): Promise<Answer> {
    const mayBeStale = /^(?:GetItem|BatchGetItem|Query|Scan)$/.test(operation) && !asksConsistent(body);
    if (!mayBeStale) return this.#pass(request, body);
    const first = this.#first.get(body);
    if (isStale && first) return first;
    const answer = await this.#pass(request, body);
    if (!first) this.#first.set(body, answer);
    return answer;
  }

  /** Passes on half of the changes of a batch, and gives the others back as undone. */
  async #halfWritten(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const batch = JSON.parse(body) as BatchWrite;
    const [[name, asked] = []] = Object.entries(batch.RequestItems);
    if (name === undefined || asked === undefined) throw new Error('only a batch can be left half undone');
    const half = Math.floor(asked.length / 2);
    const undone = { [name]: asked.slice(half) };
    if (half === 0) return answerJson(response, 200, { UnprocessedItems: undone });
    const first = { ...batch, RequestItems: { [name]: asked.slice(0, half) } };
    const answer = await this.#pass(request, JSON.stringify(first));
    const written = JSON.parse(answer.body.toString()) as object;
    answerJson(response, answer.status, { ...written, UnprocessedItems: undone });
  }

  /** Passes on half of the keys of a batch, and gives the others back as unread. */
  async #halfRead(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const batch = JSON.parse(body) as BatchGet;
    const [[name, asked] = []] = Object.entries(batch.RequestItems);
    if (name === undefined || asked === undefined) throw new Error('only a batch can be left half unread');
    const half = Math.floor(asked.Keys.length / 2);
    const unread = { [name]: { ...asked, Keys: asked.Keys.slice(half) } };
    if (half === 0) return answerJson(response, 200, { Responses: { [name]: [] }, UnprocessedKeys: unread });
    const first = { ...batch, RequestItems: { [name]: { ...asked, Keys: asked.Keys.slice(0, half) } } };
    const answer = await this.#pass(request, JSON.stringify(first));
    const read = JSON.parse(answer.body.toString()) as object;
    answerJson(response, answer.status, { ...read, UnprocessedKeys: unread });
  }

  async #pass(request: IncomingMessage, body: string): Promise<Answer> {
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const answer = await fetch(this.#target, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body,
    });
    const type = answer.headers.get('content-type') ?? 'application/x-amz-json-1.0';
    return {
      status: answer.status,
      headers: { 'content-type': type },
      body: Buffer.from(await answer.arrayBuffer()),
    };
  }
}

function asksConsistent(body: string): boolean {
  return body.includes('"ConsistentRead":true');
}

function refuse(response: ServerResponse, type: string, details: object, status = 400): void {
  answerJson(response, status, { __type: `com.amazonaws.dynamodb.v20120810#${type}`, ...details });
}

function answerJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
}
