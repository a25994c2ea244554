import { setTimeout as delay } from 'node:timers/promises';
import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GoneException,
  LimitExceededException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { BrainError } from '../domain/error.ts';
import { answerWithin } from './answer-within.ts';

/** What became of a frame. `full`: the gateway takes no more for this connection, or for all of them, for now. */
export type Posted = 'sent' | 'gone' | 'full';

/** The sockets, which the gateway holds. */
export interface Gateway {
  post(id: string, frame: Uint8Array): Promise<Posted>;
  /** The gateway chooses the code of the close; ours is in the `bye` before it. Throws `unavailable`. */
  close(id: string): Promise<void>;
}

const ANSWER_MS = 2_000;
/** What the gateway says no to is asked again after these, give or take a half; then the log keeps what was to be sent. */
const PAUSES_MS = [50, 150, 400];

export function managementGateway(endpoint: string, answerMs = ANSWER_MS): Gateway {
  const requestHandler = answerWithin(answerMs);
  // The SDK's own retries wait for seconds where they are told that they are too fast: others' frames would wait too.
  const client = new ApiGatewayManagementApiClient({ endpoint, maxAttempts: 1, requestHandler });
  const once = async (ask: () => Promise<unknown>): Promise<Posted> => {
    try {
      await ask();
      return 'sent';
    } catch (error) {
      if (error instanceof GoneException) return 'gone';
      if (error instanceof LimitExceededException || isPassing(error)) return 'full';
      throw error;
    }
  };
  const patiently = async (ask: () => Promise<unknown>): Promise<Posted> => {
    for (const pauseMs of PAUSES_MS) {
      const outcome = await once(ask);
      if (outcome !== 'full') return outcome;
      await delay(pauseMs * (0.5 + Math.random()));
    }
    return once(ask);
  };
  return {
    post: (ConnectionId, Data) =>
      patiently(() => client.send(new PostToConnectionCommand({ ConnectionId, Data }))),
    async close(ConnectionId) {
      const outcome = await patiently(() => client.send(new DeleteConnectionCommand({ ConnectionId })));
      if (outcome === 'full')
        throw new BrainError('unavailable', 'the gateway does not end a connection', {
          operation: 'gateway.close',
        });
    },
  };
}

/** The gateway is in trouble or did not answer: the log keeps what was to be sent. */
function isPassing(error: unknown): boolean {
  const { name, code, $metadata } = error as {
    readonly name?: string;
    /** Of a connection that failed, such as ECONNRESET. */
    readonly code?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode ?? 0;
  return status === 429 || status >= 500 || name === 'TimeoutError' || code?.startsWith('E') === true;
}
