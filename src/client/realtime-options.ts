import type {
  EventFrame,
  Filter,
  NoticeFrame,
  Position,
  ResyncReason,
  ServerFrame,
} from '../api/realtime.ts';
import type { Clock } from '../shared/clock.ts';

/** The part of a WebSocket that is used; browsers, Node and `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void;
}

export interface RealtimeOptions<S extends Position = Position> {
  /** Of the server, such as http://127.0.0.1:4321. */
  readonly url: string;
  /**
   * Gets a fresh ticket, for each connection its own; one that has not come within 30 s is asked for anew. Without it
   * none is sent, which local mode allows.
   */
  readonly ticket?: (() => Promise<string>) | undefined;
  /** What to hear of; everything where it is absent. */
  readonly filter?: Filter | undefined;
  /** What comes after it; without one, what is new from now on. */
  readonly from?: Position | undefined;
  /** Reads everything anew where the log cannot be read on, such as `GET /api/v2/graph`. */
  readonly snapshot?: (() => Promise<S>) | undefined;
  readonly WebSocket?: (new (url: string, protocol: string) => WebSocketLike) | undefined;
  /** Items that may wait for a consumer before the connection is given up until they are taken; 10,000. */
  readonly mostWaiting?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** What happens, in order. `position` is where a reader stands once it has taken the item: kept, it can begin there. */
export type RealtimeItem<S extends Position = Position> =
  | { readonly kind: 'event'; readonly event: EventFrame; readonly position: Position }
  /** The log could not be read on: everything as it is at `position`, in the place of what was known before. */
  | {
      readonly kind: 'snapshot';
      readonly reason: ResyncReason;
      readonly snapshot: S;
      readonly position: Position;
    }
  /** The same where no `snapshot` was given: what lies before `position` has to be read anew. */
  | { readonly kind: 'reset'; readonly reason: ResyncReason; readonly position: Position };

/** `replaying`: what was missed is being caught up on. `paused`: the consumer has too much to take. */
export type RealtimeState =
  | 'connecting'
  | 'replaying'
  | 'live'
  | 'resyncing'
  | 'waiting'
  | 'paused'
  | 'stopped';

export interface RealtimeListener<S extends Position = Position> {
  readonly item?: ((item: RealtimeItem<S>) => void) | undefined;
  /** The progress of jobs. It has no place among the items, and some of it may be lost. */
  readonly notice?: ((notice: NoticeFrame) => void) | undefined;
  readonly state?: ((state: RealtimeState) => void) | undefined;
  /** Every frame of the server as it came, for those who look at the protocol itself. */
  readonly frame?: ((frame: ServerFrame) => void) | undefined;
}

/** Why a client has stopped for good. `code` is a close code, or 0. */
export class RealtimeError extends Error {
  override readonly name = 'RealtimeError';
  readonly code: number;

  constructor(code: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
