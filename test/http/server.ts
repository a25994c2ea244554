import { onTestFinished } from 'vitest';
import { serve } from '../../src/server/main.ts';
import { dataFolder, settingsOf } from './client.ts';

/** A Brain2 that listens on a socket, stopped when the test ends. */
export async function serveBrain(dataDir = dataFolder()) {
  const server = await serve(settingsOf(dataDir));
  onTestFinished(() => server.stop());
  const json = async <T>(path: string): Promise<T> =>
    (await (await fetch(`${server.url}/api/v2${path}`)).json()) as T;
  return {
    url: server.url,
    json,
    running: {
      /** Until two reads of the log find it where it was: nothing is being written any more. */
      async settled(): Promise<void> {
        const head = async () => (await json<{ seq: number }>('/graph')).seq;
        let [before, after] = [-1, await head()];
        while (before !== after) [before, after] = [after, await head()];
      },
    },
  };
}
