const CONNECT_MS = 1_000;

/**
 * The `requestHandler` of a client that gives up what is not answered: an answer must begin within so long. Without it the
 * SDK waits for as long as the connection stays open; of a `requestTimeout` alone it only warns.
 */
export function answerWithin(answerMs: number) {
  return { connectionTimeout: CONNECT_MS, requestTimeout: answerMs, throwOnRequestTimeout: true };
}
