import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { brainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { piecesOf } from '../../src/shared/pieces.ts';
import { Ledger } from './ledger.ts';
import { vaultNotes } from './notes.ts';
import { examine, indexOf, storedGraph } from './oracle.ts';
import { IS_LONG, KILLS, SEED, seeded } from './seed.ts';
import { listening } from './server-process.ts';

/** As many as one call takes; ten calls of as many, one after the other, where there is time. */
const CALL = 1_000;
const NOTES = IS_LONG ? 10 * CALL : CALL;
const LIMIT_MS = IS_LONG ? 900_000 : 180_000;

const root = mkdtempSync(join(tmpdir(), 'brain2-bulk-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const notes = vaultNotes(NOTES, SEED).map(({ title = '', content = '', tags = [] }) => ({
  title,
  content,
  tags: [...tags],
}));
const kills = Array.from({ length: KILLS }, (_, index) => index + 1);

type Mode = 'partial' | 'atomic';

describe(`killed in a bulk of ${NOTES} notes, seed ${SEED}`, { timeout: LIMIT_MS }, () => {
  const random = seeded(SEED);

  it.each(kills)(
    'kill %i: nothing is half, and the same bulk sent again stores each note once',
    async (kill) => {
      const dataDir = join(root, `partial-${kill}`);
      // From before the first note is stored to the last links.
      const moment = { events: random.below(2 * NOTES), turns: random.below(random.pick([1, 500, 20_000])) };
      const ledger = new Ledger();
      acknowledgeAll(ledger, await bulkUntilKilled(dataDir, 'partial', moment));
      expect({ moment, complaints: await examine(dataDir, ledger.expectations) }).toEqual({
        moment,
        complaints: [],
      });
      await expectLinked(dataDir);

      const server = await listening(dataDir);
      const again = await Array.fromAsync(sendBulk(server.url, 'partial', notes));
      await server.stop();
      const items = again.flat();
      expect(items.map(({ status }) => status)).toEqual(notes.map(() => 201));
      acknowledgeAll(
        ledger,
        items.map(({ id = '' }) => id),
      );
      expect(await examine(dataDir, ledger.expectations)).toEqual([]);
      expect((await storedGraph(dataDir)).nodes.size).toBe(NOTES);
      await expectLinked(dataDir);
    },
  );

  it.each(kills)('kill %i: of an atomic one all is there, linked, or nothing', async (kill) => {
    const dataDir = join(root, `atomic-${kill}`);
    const moment = { events: 0, turns: random.below(random.pick([1, 500, 5_000])) };
    const told = await bulkUntilKilled(dataDir, 'atomic', moment);
    const ledger = new Ledger();
    acknowledgeAll(ledger, told);
    expect({ moment, complaints: await examine(dataDir, ledger.expectations) }).toEqual({
      moment,
      complaints: [],
    });
    const { size } = (await storedGraph(dataDir)).nodes;
    expect(told.length > 0 ? [ATOMIC] : [0, ATOMIC]).toContain(size);
    await expectLinked(dataDir);
  });
});

const ATOMIC = 30;
const sentOf = (mode: Mode) => (mode === 'atomic' ? notes.slice(0, ATOMIC) : notes);

/** Kills the server while it works on the bulk, once the log has so many events; gives the ids that were told. */
async function bulkUntilKilled(
  dataDir: string,
  mode: Mode,
  moment: { readonly events: number; readonly turns: number },
): Promise<readonly string[]> {
  const server = await listening(dataDir);
  const { changes } = brainClient(httpTransport(server.url));
  const told: string[] = [];
  const sending = (async () => {
    for await (const items of sendBulk(server.url, mode, sentOf(mode)))
      told.push(...items.map(({ id = '' }) => id));
  })().catch(() => {}); // killed
  for (let seq = 0; seq < moment.events;) ({ seq } = await changes({ seq }));
  await server.kill(moment.turns);
  await sending;
  return told;
}

/** One call after the other, each with a key of its own; what became of its items. */
async function* sendBulk(url: string, mode: Mode, items: typeof notes) {
  const client = brainClient(httpTransport(url));
  for (const call of piecesOf(items, CALL)) {
    const key = `the bulk from ${call[0]?.title}`;
    yield (await client.nodes.bulk.create({ mode, items: [...call] }, key)).items;
  }
}

function acknowledgeAll(ledger: Ledger, ids: readonly string[]): void {
  for (const [at, id] of ids.entries()) ledger.acknowledge('nodes', id, { ...notes[at] });
}

/** Of the links that the engine finds now; notes linked before a kill saw fewer. */
const SHARE_LINKED = 0.9;

/** Notes have the edges that the engine finds between them. */
async function expectLinked(dataDir: string): Promise<void> {
  const { nodes, edges } = await storedGraph(dataDir);
  const pair = (a: string, b: string) => [a, b].sort().join(' ');
  const made = new Set([...edges.values()].map(({ sourceId, targetId }) => pair(sourceId, targetId)));
  const index = indexOf(nodes.values());
  const found = new Set([...nodes.keys()].flatMap((a) => index.links(a).map((b) => pair(a, b.id))));
  expect(found.intersection(made).size).toBeGreaterThanOrEqual(found.size * SHARE_LINKED);
}
