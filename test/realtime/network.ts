import type { ClientFrame, ServerFrame } from '../../src/api/realtime.ts';
import type { WebSocketLike } from '../../src/client/realtime-options.ts';
import type { Hub } from '../../src/realtime/hub.ts';
import type { Session } from '../../src/realtime/session.ts';
import { clientFrame, serverFrame } from './frames.ts';

type Listener = (event: never) => void;

/** What a network may do to a connection, and what is seen of it. */
export interface Wire {
  /** The socket is gone for both sides, without a word. */
  cut(): void;
  /** Nothing more arrives on either side, and neither is told. */
  isDead: boolean;
  /** The client reads nothing: what it is sent waits at the server. */
  isStalled: boolean;
  /** Frames of events to lose on the way. */
  lose: number;
}

/** Connects clients with whatever hub is running, in memory: frames keep their order and arrive a turn later. */
export class Network {
  hub: Hub | undefined;
  readonly wires = new Set<MemorySocket>();
  readonly #onClient: (wire: MemorySocket, frame: ClientFrame) => void;
  readonly texts: string[] = [];

  constructor(onClient: (wire: MemorySocket, frame: ClientFrame) => void = () => undefined) {
    this.#onClient = onClient;
  }

  /** A class of sockets, as a client wants it, that calls `opened` with each. */
  socketClass(
    opened: (wire: MemorySocket) => void = () => undefined,
  ): new (url: string, protocol: string) => WebSocketLike {
    const join = (socket: MemorySocket): void => {
      this.wires.add(socket);
      opened(socket);
    };
    const network = (): Network => this;
    return class extends MemorySocket {
      constructor() {
        super(network());
        join(this);
      }
    };
  }

  said(wire: MemorySocket, frame: ClientFrame): void {
    this.#onClient(wire, frame);
  }

  /** The server is killed: its connections break, and it says nothing. */
  kill(): void {
    this.hub = undefined;
    for (const wire of this.wires) wire.cut();
  }
}

export class MemorySocket implements WebSocketLike, Wire {
  readyState = 0;
  isDead = false;
  lose = 0;
  bufferedAmount = 0;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #network: Network;
  #session: Session | undefined;
  #isStalled = false;
  #waiting: Uint8Array[] = [];

  constructor(network: Network) {
    this.#network = network;
    this.#later(() => this.#open());
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(text: string): void {
    const frame = clientFrame(text);
    this.#later(() => {
      if (this.readyState !== 1 || this.isDead) return;
      this.#network.said(this, frame);
      this.#session?.receive(text);
    });
  }

  /** By the client. */
  close(code = 1000): void {
    this.#later(() => this.#ended(code));
  }

  cut(): void {
    this.#ended(1006);
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  set isStalled(stalled: boolean) {
    this.#isStalled = stalled;
    if (stalled) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.bufferedAmount = 0;
    for (const bytes of waiting) this.#arrive(bytes);
  }

  #open(): void {
    const { hub } = this.#network;
    const amount = (): number => this.bufferedAmount;
    const session = hub?.accept({
      send: (bytes) => this.#sent(bytes),
      get bufferedAmount() {
        return amount();
      },
      close: (code) => this.#later(() => this.#ended(code)),
    });
    if (!session) return this.#ended(1006);
    this.#session = session;
    this.readyState = 1;
    this.#tell('open', {});
  }

  #sent(bytes: Uint8Array): void {
    if (this.isDead || this.readyState !== 1) return;
    if (this.#isStalled) {
      this.#waiting.push(bytes);
      this.bufferedAmount += bytes.length;
      return;
    }
    this.#arrive(bytes);
  }

  #arrive(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString();
    const frame: ServerFrame = serverFrame(text);
    this.#network.texts.push(text);
    if (this.lose > 0 && (frame.action === 'event' || frame.action === 'batch')) {
      this.lose -= 1;
      return;
    }
    this.#later(() => {
      if (this.readyState === 1) this.#tell('message', { data: text });
    });
  }

  #ended(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#network.wires.delete(this);
    this.#session?.gone(code);
    if (!this.isDead) this.#tell('close', { code });
  }

  #tell(type: string, event: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }

  #later(work: () => void): void {
    queueMicrotask(() => queueMicrotask(work));
  }
}
