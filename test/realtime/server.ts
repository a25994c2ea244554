import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import type { ClientFrame, ServerFrame } from '../../src/api/realtime.ts';
import { openBrain } from '../../src/server/brain.ts';
import type { Settings } from '../../src/server/settings.ts';
import { clientOf, dataFolder } from '../http/client.ts';
import { placeOf } from '../support/place.ts';
import { serverFrame } from './frames.ts';

/** A whole Brain2 that listens, with its parts at hand. */
export async function listeningBrain(more: Partial<Settings> = {}) {
  const brain = await openBrain({ ...(await placeOf(dataFolder())), ...more });
  let closed: Promise<void> | undefined;
  const client = clientOf(brain, () => (closed ??= brain.close()));
  onTestFinished(() => client.close());
  const url = await brain.app.listen({ host: '127.0.0.1', port: 0 });
  return { brain, client, url, socketUrl: `${url.replace('http', 'ws')}/ws` };
}

/** A raw peer over a real socket, that says whatever it is told to. */
export class RawPeer {
  readonly socket: WebSocket;
  readonly frames: ServerFrame[] = [];
  readonly closed: Promise<{ readonly code: number }>;
  readonly #waiting: {
    readonly is: (frame: ServerFrame) => boolean;
    readonly found: (frame: ServerFrame) => void;
  }[] = [];

  constructor(url: string, options: ClientOptions & { readonly protocol?: string } = {}) {
    const { protocol = 'brain2.v1', ...more } = options;
    this.socket = new WebSocket(url, protocol === '' ? [] : [protocol], { ...more });
    this.socket.on('error', () => undefined);
    this.closed = once(this.socket, 'close').then(([code]) => ({ code: code as number }));
    this.socket.on('message', (data) => {
      const frame = serverFrame((data as Buffer).toString());
      this.frames.push(frame);
      for (const { is, found } of this.#waiting) if (is(frame)) found(frame);
    });
  }

  say(frame: ClientFrame | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The first frame of the action, now or later; or the end, if that comes first. */
  async get<A extends ServerFrame['action']>(action: A): Promise<Extract<ServerFrame, { action: A }>> {
    const is = (frame: ServerFrame) => frame.action === action;
    const found = this.frames.find(is) ?? (await this.#next(is, action));
    return found as Extract<ServerFrame, { action: A }>;
  }

  #next(is: (frame: ServerFrame) => boolean, what: string): Promise<ServerFrame> {
    const next = new Promise<ServerFrame>((found) => this.#waiting.push({ is, found }));
    const end = this.closed.then(({ code }): ServerFrame => {
      const found = this.frames.find(is);
      if (found) return found;
      throw new Error(`it ended with ${code} before ${what}`);
    });
    return Promise.race([next, end]);
  }

  async greet(): Promise<this> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, 'open');
    this.say({ action: 'hello' });
    await this.get('welcome');
    return this;
  }

  end(): void {
    this.socket.terminate();
  }
}
