import type { ServerFrame } from '../api/realtime.ts';
import type { Position } from '../domain/values.ts';

/**
 * All that a session knows of its transport: a WebSocket, a stream of server-sent events, a post to a gateway.
 * Nothing here throws; what is sent after the end is lost, as on a wire.
 */
export interface Socket {
  /** `about.position` is where the reader stands once it has this frame; absent where the frame moves nobody. */
  send(frame: Uint8Array, about: FrameAbout): void;
  /** Bytes that were sent and are not on their way yet. */
  readonly bufferedAmount: number;
  close(code: number, reason: string): void;
}

export interface FrameAbout {
  readonly action: ServerFrame['action'];
  readonly position?: Position | undefined;
}
