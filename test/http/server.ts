import { onTestFinished } from 'vitest';
import { serve } from '../../src/server/main.ts';
import { dataFolder } from './client.ts';
import { placeOf, STORE } from '../support/place.ts';

/** Over the network a commit takes longer than a read. */
const QUIET_READS = STORE === 'dynamodb' ? 30 : 1;

/** A Brain2 that listens on a socket, stopped when the test ends. */
export async function serveBrain(dataDir = dataFolder()) {
  const server = await serve(await placeOf(dataDir));
  onTestFinished(() => server.stop());
  const json = async <T>(path: string): Promise<T> =>
    (await (await fetch(`${server.url}/api/v2${path}`)).json()) as T;
  return {
    url: server.url,
    json,
    running: {
      /** Until so many reads of the log in a row find it where it was: nothing is being written any more. */
      async settled(): Promise<void> {
        const head = async () => (await json<{ seq: number }>('/graph')).seq;
        let [at, times] = [-1, 0];
        while (times < QUIET_READS) {
          const seq = await head();
          [at, times] = seq === at ? [at, times + 1] : [seq, 0];
        }
      },
    },
  };
}
