import { ApiError, brainClient, type BrainClient } from '../src/client/http-client.ts';
import { httpTransport } from '../src/client/http-transport.ts';
import { eachConcurrent } from '../src/shared/each-concurrent.ts';
import { listen } from './listeners.ts';
import { putMixed, toldOf, type MixedLoad, type MixedResult, type ToldNote } from './mixed.ts';
import { prepared } from './prepared.ts';
import { MAIN, run, startReadyBrain2, type Server } from './processes.ts';

/** A Brain2 with notes in it, and sockets that hear every change. */
export interface UnderLoad {
  readonly server: Server;
  readonly client: BrainClient;
  put(load: Omit<MixedLoad, 'url' | 'ids'>): Promise<MixedResult>;
  /** Deletes notes that a load has left. */
  delete(ids: readonly string[]): Promise<void>;
  /**
   * Stops it, lets `brain2 verify` look at what is left, starts it anew and compares every note of which a load was
   * told something. Gives how many they were; throws where anything is wrong.
   */
  end(): Promise<number>;
}

export async function underLoad(
  folder: string,
  { notes, sockets }: { readonly notes: number; readonly sockets: number },
): Promise<UnderLoad> {
  const { dataDir } = await prepared(folder, notes);
  const server = await startReadyBrain2(folder, dataDir);
  const client = brainClient(httpTransport(server.url));
  const ids = (await client.nodes.list({ limit: 100 })).items.map(({ id }) => id);
  const stopListening = await listen(server.url, sockets);
  const told = new Map<string, ToldNote>();
  return {
    server,
    client,
    async put(load) {
      const result = await putMixed(folder, { ...load, url: server.url, ids });
      for (const note of result.told) told.set(note.id, note);
      return result;
    },
    async delete(left) {
      for (const id of left) {
        told.delete(id); // whether it is gone is not known if the answer does not come in time
        await client.nodes.delete(id, 1).catch((error: unknown) => {
          if (!(error instanceof ApiError && error.problem.retryable)) throw error;
        });
      }
    },
    async end() {
      await stopListening();
      await server.stop();
      await run(folder, MAIN, ['verify', '--data', dataDir]);
      const again = await startReadyBrain2(folder, dataDir);
      await compare(again.url, [...told.values()]);
      await again.stop();
      return told.size;
    },
  };
}

const AT_ONCE = 50;

async function compare(url: string, told: readonly ToldNote[]): Promise<void> {
  const { nodes } = brainClient(httpTransport(url));
  const compared = eachConcurrent(told, { limit: AT_ONCE }, async (note) => {
    const found = toldOf(await nodes.get(note.id));
    const isNewer = found.version > note.version; // a change whose answer nobody heard
    if (isNewer || (found.version === note.version && found.crc === note.crc && found.title === note.title))
      return;
    throw new Error(`acknowledged was ${JSON.stringify(note)}, and it is ${JSON.stringify(found)}`);
  });
  await Array.fromAsync(compared);
}
