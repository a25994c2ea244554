import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ImportEvent, ImportNote, ImportSummary } from '../../src/api/v2-imports.ts';
import { brainClient, type BrainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { connect } from '../../src/server/connect.ts';
import { readSettings } from '../../src/server/settings.ts';
import { Ledger } from './ledger.ts';
import { vaultNotes } from './notes.ts';
import { expectLinked } from './linked.ts';
import { examine } from './oracle.ts';
import { KILLS, SEED, seeded, type Random } from './seed.ts';
import { listening } from './server-process.ts';
import { Writer } from './writer.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-kill-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const kills = Array.from({ length: KILLS }, (_, at) => at + 1);
const notes = vaultNotes(400, SEED);

describe(`killed in an import, seed ${SEED}`, () => {
  it.each(kills)('kill %i: what was acknowledged is there, and importing again ends whole', async (kill) => {
    const dataDir = join(root, `import-${kill}`);
    const ledger = new Ledger();
    const killed = await importUntilKilled(dataDir, momentOf(seeded(SEED * 1_000 + kill)), ledger);
    const first = await examine(dataDir, ledger.expectations);
    expect({ killed, complaints: first }).toEqual({ killed, complaints: [] });

    const summary = await importAgain(dataDir, ledger);
    expect(summary).toMatchObject({ notes: notes.length, failed: 0, missing: 0, brokenReferences: 0 });
    expect(summary.created + summary.unchanged).toBe(notes.length);
    expect(ledger.size).toBe(notes.length);
    const again = await examine(dataDir, ledger.expectations);
    expect({ killed, complaints: again }).toEqual({ killed, complaints: [] });
    await expectLinked(dataDir, notes);
  });
});

/** When to kill: at the nth note sent, note acknowledged or line of progress, and then some turns later. */
interface Moment {
  readonly at: 'sent' | 'item' | 'progress';
  readonly count: number;
  readonly turns: number;
}

function momentOf(random: Random): Moment {
  const at = random.pick(['sent', 'item', 'item', 'item', 'progress', 'progress'] as const);
  const count = 1 + random.below(at === 'progress' ? 6 : notes.length);
  return { at, count, turns: random.below(random.pick([1, 500, 3_000])) };
}

/** Gives what was going on, for the message of a failure. */
async function importUntilKilled(dataDir: string, moment: Moment, ledger: Ledger): Promise<string> {
  const server = await listening(dataDir);
  const seen = { sent: 0, item: 0, progress: 0 };
  let dying: Promise<void> | undefined;
  const see = (what: Moment['at']): void => {
    seen[what] += 1;
    if (what === moment.at && seen[what] === moment.count) dying = server.kill(moment.turns);
  };
  function* sending(): Generator<ImportNote> {
    for (const note of notes) {
      see('sent');
      yield note;
    }
  }
  try {
    for await (const event of brainClient(httpTransport(server.url)).import(sending(), COLLECTION)) {
      acknowledge(ledger, event);
      if (event.type === 'item' || event.type === 'progress') see(event.type);
    }
  } catch (error) {
    if (!dying) throw error;
  }
  await (dying ?? server.kill());
  return `killed at ${JSON.stringify(moment)} having seen ${JSON.stringify(seen)}`;
}

const COLLECTION = { collection: 'vault' };
const byKey = new Map(notes.map((note) => [note.key, note]));

function acknowledge(ledger: Ledger, event: ImportEvent): void {
  if (event.type !== 'item') return;
  const { title, content, tags } = byKey.get(event.key)!;
  const source = { kind: 'import', key: event.key, path: event.key };
  ledger.acknowledge('nodes', event.nodeId ?? '', { title, content, tags, source });
}

async function importAgain(dataDir: string, ledger: Ledger): Promise<ImportSummary> {
  const connection = await connect(readSettings({}, { dataDir }));
  try {
    for await (const event of connection.client.import(notes, COLLECTION)) {
      acknowledge(ledger, event);
      if (event.type === 'summary') return event.summary;
    }
    throw new Error('the import ended without a summary');
  } finally {
    await connection.close();
  }
}

describe(`killed in a stream of single writes, seed ${SEED}`, () => {
  const dataDir = join(root, 'writes');
  const ledger = new Ledger();
  const random = seeded(SEED);
  const writers = [1, 2, 3, 4].map((number) => new Writer(ledger, seeded(SEED * 1_000 + number)));

  // One graph for all: it grows from kill to kill, and each start finds an older index and a longer log.
  it.each(kills)('kill %i: every write that was acknowledged is there', async (kill) => {
    const acks = 1 + random.below(200);
    const turns = random.below(random.pick([1, 20, 500]));
    const told = await writeUntilKilled(dataDir, { acks, turns }, writers);
    expect(told).toBeGreaterThanOrEqual(acks);
    const complaints = await examine(dataDir, ledger.expectations);
    expect({ kill, told, turns, complaints }).toEqual({ kill, told, turns, complaints: [] });
  });
});

async function writeUntilKilled(
  dataDir: string,
  moment: { readonly acks: number; readonly turns: number },
  writers: readonly Writer[],
): Promise<number> {
  const server = await listening(dataDir);
  const client: BrainClient = brainClient(httpTransport(server.url));
  let acks = 0;
  let dying: Promise<void> | undefined;
  const write = async (writer: Writer): Promise<void> => {
    for (;;) {
      try {
        await writer.write(client);
      } catch (error) {
        if (!dying) throw error;
        return; // cut off: the ledger holds what it may have become
      }
      acks += 1;
      if (acks === moment.acks) dying = server.kill(moment.turns);
    }
  };
  try {
    await Promise.all(writers.map(write));
    return acks;
  } finally {
    await (dying ?? server.kill());
  }
}
