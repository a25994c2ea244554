import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';
import type {
  AuthorizerAnswer,
  AuthorizerEvent,
  HttpAnswer,
  HttpEvent,
  SocketAnswer,
  SocketEvent,
} from '../../src/aws/events.ts';

// What of API Gateway, EventBridge and S3 the functions need, over http and ws, for the SDK's own clients. It is as
// strict as they are where a limit is concerned, and with mischief it does all that they are allowed to do.

/** Chances from 0 to 1 that something befalls a frame, an event or a call. All are 0 unless they are given. */
export interface Mischief {
  /** 429 in the place of taking a frame. */
  readonly full: number;
  /** A frame, or the invocation of a function, happens twice. */
  readonly twice: number;
  /** A frame, or an event, comes later by up to `delayMs`, and so after those that were sent after it. */
  readonly late: number;
  readonly delayMs: number;
  /** `$disconnect` is not told. */
  readonly silentEnd: number;
  /** One entry of PutEvents is refused. */
  readonly refusedEntry: number;
  /** A target fails, and is called again. */
  readonly failingTarget: number;
  /** What begins so in its path is never answered: `bucket`, for one. */
  readonly deaf?: string;
}

const NONE: Mischief = {
  full: 0,
  twice: 0,
  late: 0,
  delayMs: 0,
  silentEnd: 0,
  refusedEntry: 0,
  failingTarget: 0,
};

export interface Functions {
  readonly http: (event: HttpEvent) => Promise<HttpAnswer>;
  readonly socket: (event: SocketEvent) => Promise<SocketAnswer>;
  readonly authorize: (event: AuthorizerEvent) => Promise<AuthorizerAnswer>;
}

/** An event as it was put on the bus. */
export interface PutEvent {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly EventBusName: string;
}

interface Rule {
  readonly detailTypes: ReadonlySet<string>;
  readonly target: (event: { readonly detail: never }) => Promise<unknown>;
}

const LIMITS = { postBytes: 128 * 1024, frameBytes: 32 * 1024, entries: 10, callBytes: 256 * 1024 } as const;
const STAGE = 'test';

export class AwsStandIn {
  readonly events: PutEvent[] = [];
  readonly objects = new Map<string, Buffer>();
  /** Keys of objects, as they were asked for. */
  readonly reads: string[] = [];
  /** By status, what the management API answered. */
  readonly posts = new Map<number, number>();
  readonly #rules: Rule[] = [];
  readonly #sockets = new Map<string, WebSocket>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.frameBytes,
    handleProtocols: (offered) => offered.values().next().value ?? false,
  });
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #random: () => number;
  #functions: Functions | undefined;
  mischief: Mischief = NONE;

  private constructor(random: () => number) {
    this.#random = random;
    this.#server.on('upgrade', (request: IncomingMessage, stream, head) => {
      void this.#connect(request, stream, head);
    });
  }

  static async start(random: () => number = Math.random): Promise<AwsStandIn> {
    const made = new AwsStandIn(random);
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a function finds in its environment, for everything but the table. */
  get environment(): Readonly<Record<string, string>> {
    return {
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'stand-in',
      AWS_SECRET_ACCESS_KEY: 'stand-in',
      AWS_ENDPOINT_URL_EVENTBRIDGE: this.url,
      AWS_ENDPOINT_URL_S3: this.url,
      BRAIN2_EVENT_BUS: 'bus',
      BRAIN2_SOCKET_ENDPOINT: `${this.url}/${STAGE}`,
      BRAIN2_SNAPSHOT_BUCKET: 'bucket',
    };
  }

  deploy(functions: Functions): void {
    this.#functions = functions;
  }

  rule(detailTypes: Iterable<string>, target: Rule['target']): void {
    this.#rules.push({ detailTypes: new Set(detailTypes), target });
  }

  /** Ends a connection as a network does: nobody says goodbye. */
  async cut(): Promise<void> {
    const ended = [...this.#sockets.values()].map(async (socket) => {
      const closed = once(socket, 'close');
      socket.terminate();
      await closed;
    });
    await Promise.all(ended);
  }

  get connections(): readonly string[] {
    return [...this.#sockets.keys()];
  }

  /** Everything that was set off has come to its end. */
  async quiet(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async stop(): Promise<void> {
    await this.cut();
    await this.quiet();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #chance(of: number): boolean {
    return of > 0 && this.#random() < of;
  }

  /** Runs it in the background; `quiet` waits for it. */
  #run(work: () => Promise<unknown>): void {
    const running = work()
      .catch((error: unknown) => process.emitWarning(error as Error))
      .finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }

  async #maybeLate(): Promise<void> {
    const { late, delayMs } = this.mischief;
    if (this.#chance(late)) await delay(this.#random() * delayMs);
  }

  async #connect(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const refuse = (status: number): void =>
      void stream.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\n\r\n`);
    const functions = this.#functions;
    const url = new URL(request.url ?? '/', 'http://host');
    if (!functions || url.pathname !== '/ws') return refuse(404);
    const connectionId = randomUUID();
    const headers = request.headers as Readonly<Record<string, string>>;
    const policy = await functions.authorize({
      methodArn: 'arn:aws:execute-api:eu-west-1:1:api/test/$connect',
      headers,
      queryStringParameters: Object.fromEntries(url.searchParams),
      requestContext: { connectionId },
    });
    if (policy.policyDocument.Statement[0].Effect === 'Deny') return refuse(403);
    const authorizer = policy.context ?? {};
    const answer = await functions.socket({
      requestContext: { routeKey: '$connect', connectionId, authorizer },
      headers,
    });
    if (answer.statusCode !== 200) return refuse(answer.statusCode);
    this.#upgrades.handleUpgrade(request, stream, head, (socket) => {
      this.#sockets.set(connectionId, socket); // from here on, and no earlier, it can be posted to
      this.#attach(connectionId, socket, functions);
    });
  }

  #attach(connectionId: string, socket: WebSocket, { socket: call }: Functions): void {
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const body = (data as Buffer).toString();
      const requestContext = { routeKey: '$default', connectionId, messageId: randomUUID() };
      const invoke = (): void =>
        this.#run(async () => {
          await this.#maybeLate();
          await call({ requestContext, body, isBase64Encoded: false });
        });
      invoke();
      if (this.#chance(this.mischief.twice)) invoke();
    });
    socket.on('close', () => {
      this.#sockets.delete(connectionId);
      if (this.#chance(this.mischief.silentEnd)) return;
      this.#run(() => call({ requestContext: { routeKey: '$disconnect', connectionId } }));
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const [, first = '', second = '', ...rest] = decodeURIComponent(pathname).split('/');
    if (first === this.mischief.deaf) return; // it is never answered
    if (first === STAGE && second === '@connections')
      return this.#manage(request.method ?? '', rest.join('/'), body, response);
    if (request.headers['x-amz-target'] === 'AWSEvents.PutEvents') return this.#putEvents(body, response);
    if (first === 'bucket') return this.#object(request, pathname, body, response);
    await this.#answer(request, body, response);
  }

  #manage(method: string, id: string, body: Buffer, response: ServerResponse): void {
    const answer = (status: number, type?: string): void => {
      this.posts.set(status, (this.posts.get(status) ?? 0) + 1);
      response
        .writeHead(status, { ...(type && { 'x-amzn-errortype': type }) })
        .end(type && '{"message":null}');
    };
    const socket = this.#sockets.get(id);
    if (!socket) return answer(410, 'GoneException');
    if (method === 'DELETE') {
      socket.close(1000);
      return answer(204);
    }
    if (body.length > LIMITS.postBytes) return answer(413, 'PayloadTooLargeException');
    if (this.#chance(this.mischief.full)) return answer(429, 'LimitExceededException');
    const send = (): void =>
      this.#run(async () => {
        await this.#maybeLate();
        socket.send(body, { binary: false });
      });
    send();
    if (this.#chance(this.mischief.twice)) send();
    answer(200);
  }

  #putEvents(body: Buffer, response: ServerResponse): void {
    const { Entries } = JSON.parse(body.toString()) as { Entries: PutEvent[] };
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if (Entries.length > LIMITS.entries || body.length > LIMITS.callBytes)
      return void response.writeHead(400).end('{"__type":"ValidationException","message":"too much"}');
    const results = Entries.map((entry) => {
      if (this.#chance(this.mischief.refusedEntry))
        return { ErrorCode: 'ThrottlingException', ErrorMessage: 'no' };
      this.events.push(entry);
      this.#route(entry);
      return { EventId: randomUUID() };
    });
    const FailedEntryCount = results.filter((result) => 'ErrorCode' in result).length;
    response.end(JSON.stringify({ FailedEntryCount, Entries: results }));
  }

  #route({ DetailType, Detail }: PutEvent): void {
    for (const { detailTypes, target } of this.#rules) {
      if (!detailTypes.has(DetailType)) continue;
      const invoke = (): void =>
        this.#run(async () => {
          await this.#maybeLate();
          if (this.#chance(this.mischief.failingTarget)) return invoke();
          await target({ detail: JSON.parse(Detail) as never });
        });
      invoke();
      if (this.#chance(this.mischief.twice)) invoke();
    }
  }

  #object({ method }: IncomingMessage, key: string, body: Buffer, response: ServerResponse): void {
    if (method === 'PUT') {
      this.objects.set(key, body);
      return void response.setHeader('etag', '"1"').end();
    }
    this.reads.push(key);
    const found = this.objects.get(key);
    if (found) return void response.end(found);
    response.writeHead(404, { 'content-type': 'application/xml' });
    response.end('<Error><Code>NoSuchKey</Code><Message>none</Message></Error>');
  }

  async #answer(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://host');
    const { cookie, ...headers } = request.headers as Record<string, string>;
    const answer = await this.#functions?.http({
      rawPath: url.pathname,
      rawQueryString: url.search.slice(1),
      headers,
      ...(cookie !== undefined && { cookies: cookie.split('; ') }),
      ...(body.length > 0 && { body: body.toString('base64') }),
      isBase64Encoded: body.length > 0,
      requestContext: { stage: '$default', http: { method: request.method ?? 'GET', sourceIp: '127.0.0.1' } },
    });
    if (!answer) return void response.writeHead(503).end();
    for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
    response.writeHead(answer.statusCode);
    response.end(Buffer.from(answer.body, answer.isBase64Encoded ? 'base64' : 'utf8'));
  }
}
