/** Of Node's timer of the delay, which counts its own period in. */
const RESOLUTION_MS = 10;

/** The longest delay of a server's event loop since it was asked last, as the server tells it, in milliseconds. */
export async function longestDelayMs(url: string): Promise<number> {
  const metrics = await (await fetch(new URL('/metrics', url))).text();
  const seconds = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(metrics)?.[1];
  return Math.max(0, Number(seconds) * 1_000 - RESOLUTION_MS);
}
