import { isDeepStrictEqual } from 'node:util';
import { BrainError } from '../domain/error.ts';
import type { OwnerId } from '../domain/values.ts';
import { LinkIndex } from '../linking/link-index.ts';
import { repositories } from '../storage/repositories.ts';
import { Store } from '../storage/store.ts';
import type { Table, TableReader } from '../storage/table.ts';
import { Findings, type OnProgress } from '../storage/verify/problem.ts';
import { IndexThread, type NoteIndex } from './index-thread.ts';
import { OwnerIndexes, toLinkable } from './owner-indexes.ts';

/** Notes about which both indexes are asked, spread over all of them: some milliseconds each. */
const COMPARED_NOTES = 100;
const RELATED_NOTES = 20;
const FOUND_NOTES = 1_000;
const NOTES_A_TICK = 100;

/**
 * Holds an owner's stored index, brought up to date by the log, against one that is made of the notes anew: both have
 * the same notes, and answer alike. Gives how many notes they were asked about.
 */
export async function verifyIndex(
  reader: TableReader,
  owner: OwnerId,
  { stored, total, onProgress }: IndexToVerify,
): Promise<{ readonly compared: number; readonly findings: Findings }> {
  const findings = new Findings(owner);
  const key = `index of ${owner}`;
  const indexes = new OwnerIndexes({
    store: new Store({ table: unwritable(reader), now: refuse, newEpoch: refuse, correlationId: refuse }),
    thread: new IndexThread(),
    snapshots: {
      load: async () => stored,
      save: async () => {},
      onRefused: (_owner, error) =>
        findings.add('index', key, error instanceof Error ? error.message : String(error)),
    },
  });
  try {
    const index = await indexes.ready(owner);
    if (findings.total > 0) return { compared: 0, findings };
    const rebuilt = new LinkIndex();
    const titles = new Map<string, string>();
    for await (const node of repositories(owner, reader).nodes.all()) {
      if (!node.archived) rebuilt.put(toLinkable(node));
      titles.set(node.id, node.title);
      if (titles.size % NOTES_A_TICK === 0) onProgress('index', titles.size, total);
    }
    rebuilt.settle();
    for (const difference of notesThatDiffer(index, rebuilt)) findings.add('index', key, difference);
    if (findings.total > 0) return { compared: 0, findings };
    await index.settle();
    const compared = spread([...rebuilt.ids()]);
    for (const id of compared) {
      const title = titles.get(id) ?? '';
      if (!isDeepStrictEqual(await answers(index, id, title), await answers(rebuilt, id, title)))
        findings.add('index', key, `answers otherwise about ${id} than one that is made anew`);
    }
    return { compared: compared.length, findings };
  } finally {
    await indexes.close();
  }
}

interface IndexToVerify {
  /** The bytes of the snapshot. */
  readonly stored: Uint8Array;
  /** How many notes there are. */
  readonly total: number;
  readonly onProgress: OnProgress;
}

type Answering = Pick<NoteIndex | LinkIndex, 'ids' | 'versionOf'>;

function notesThatDiffer(index: Answering, rebuilt: Answering): readonly string[] {
  const notesOf = (of: Answering) =>
    new Set(Array.from(of.ids(), (id) => `${id} at version ${of.versionOf(id)}`));
  const [known, wanted] = [notesOf(index), notesOf(rebuilt)];
  return [
    ...[...wanted.difference(known)].map((note) => `lacks ${note}`),
    ...[...known.difference(wanted)].map((note) => `has ${note}, which is not stored`),
  ];
}

function spread(ids: readonly string[]): readonly string[] {
  const step = Math.max(1, Math.floor(ids.length / COMPARED_NOTES));
  return ids.filter((_id, at) => at % step === 0);
}

async function answers(of: NoteIndex | LinkIndex, id: string, title: string): Promise<unknown> {
  const related = await of.related(id, RELATED_NOTES);
  const found = await of.search(title, { limit: FOUND_NOTES });
  return {
    related: related.map((one) => [one.id, one.weight.toFixed(6)]),
    found: found.map((hit) => `${hit.id} ${hit.score.toFixed(6)}`),
  };
}

function unwritable(reader: TableReader): Table {
  return {
    get: (key) => reader.get(key),
    batchGet: (keys) => reader.batchGet(keys),
    has: (keys) => reader.has(keys),
    query: (pk, options) => reader.query(pk, options),
    transact: async () => refuse(),
    close: async () => {},
  };
}

function refuse(): never {
  throw new BrainError('internal', 'a check writes nothing', { operation: 'store.verify' });
}
