import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Node } from '../../src/domain/node.ts';
import { ownerId } from '../../src/domain/values.ts';
import { LinkIndex } from '../../src/linking/link-index.ts';
import type { NoteIndex } from '../../src/services/index-thread.ts';
import { openBrain, type Brain } from '../../src/server/brain.ts';
import { readSettings } from '../../src/server/settings.ts';
import { pks } from '../../src/storage/keys.ts';
import {
  foldLog,
  headOf,
  itemsOf,
  nameOf,
  readItems,
  type Folded,
  type StoredItem,
  type StoredItems,
} from './stored-graph.ts';

/** Fields that something stored must have. */
export type Facts = Readonly<Record<string, unknown>>;

/** What a client was told of one thing. While a change of it is under way, what it becomes may stand as well. */
export interface Expectation {
  readonly kind: 'nodes' | 'edges' | 'categories';
  readonly id: string;
  readonly anyOf: readonly (Facts | 'gone')[];
}

const OWNER = ownerId('local');
const COMPARED_NOTES = 40;
const RELATED_NOTES = 20;
const FOUND_NOTES = 1_000;
const COMPLAINTS_TOLD = 20;

/**
 * Holds a data folder that no process has open against what clients were told. Reads it twice by its rows, before the
 * product opens it and after, and once through the product. Gives what is wrong; nothing, if all is well.
 */
export async function examine(
  dataDir: string,
  expectations: Iterable<Expectation>,
): Promise<readonly string[]> {
  const found = examineDatabase(dataDir).complaints.map((complaint) => `as it was left: ${complaint}`);
  found.push(...(await examineBrain(dataDir, expectations)));
  const { complaints } = examineDatabase(dataDir);
  found.push(...complaints.map((complaint) => `once opened: ${complaint}`));
  if (found.length <= COMPLAINTS_TOLD) return found;
  return [...found.slice(0, COMPLAINTS_TOLD), `and ${found.length - COMPLAINTS_TOLD} more`];
}

export interface Examined extends Folded {
  readonly stored: StoredItems;
}

/** Log and state, by the rows of a copy, so that the product still finds the files as they were left. */
export function examineDatabase(dataDir: string): Examined {
  const copy = mkdtempSync(join(tmpdir(), 'brain2-oracle-'));
  try {
    for (const file of ['brain2.sqlite', 'brain2.sqlite-wal']) {
      if (existsSync(join(dataDir, file))) copyFileSync(join(dataDir, file), join(copy, file));
    }
    return examineFile(join(copy, 'brain2.sqlite'));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function examineFile(databasePath: string): Examined {
  const stored = readItems(databasePath);
  const folded = foldLog(OWNER, stored);
  const complaints = [
    ...stored.complaints,
    ...folded.complaints,
    ...compareHead(stored, folded),
    ...compareItems(stored, folded),
    ...findEdgesWithoutEnds(stored, folded),
  ];
  return { ...folded, stored, complaints };
}

function compareHead(stored: StoredItems, { nodes, edges, categories, lastSeq }: Folded): string[] {
  const head = headOf(OWNER, stored);
  const found = { seq: head?.seq ?? 0, counts: head?.counts ?? { nodes: 0, edges: 0, categories: 0 } };
  const folded = {
    seq: lastSeq,
    counts: { nodes: nodes.size, edges: edges.size, categories: categories.size },
  };
  if (isDeepStrictEqual(found, folded)) return [];
  return [`the head says ${JSON.stringify(found)}, the log ${JSON.stringify(folded)}`];
}

/** What is neither folded from the log nor the log itself. */
const BESIDE_THE_LOG: readonly string[] = [
  pks.head(OWNER),
  pks.log(OWNER),
  pks.pending(OWNER),
  pks.decisions(OWNER),
  pks.receipts(OWNER),
  pks.head(ownerId('health')),
];

/** State and index items are exactly what the log asks for. */
function compareItems({ items }: StoredItems, folded: Folded): string[] {
  const expected = itemsOf(OWNER, folded);
  const complaints: string[] = [];
  const told = ({ pk, sk }: StoredItem): string => `${pk} ${sk}`;
  for (const [name, item] of expected) {
    const found = items.get(name);
    if (!found) complaints.push(`${told(item)} is not there, and the log asks for it`);
    else if (!isDeepStrictEqual(found, item)) {
      complaints.push(`${told(item)} is ${JSON.stringify(found)}, by the log ${JSON.stringify(item)}`);
    }
  }
  for (const [name, item] of items) {
    if (!expected.has(name) && !BESIDE_THE_LOG.includes(item.pk))
      complaints.push(`${told(item)} is there, and the log does not know it`);
  }
  return complaints;
}

/** A deleted note's last edges may stand for a while, if it is marked that they are to go. */
function findEdgesWithoutEnds({ items }: StoredItems, { nodes, edges }: Folded): string[] {
  const leaving = (id: string): boolean => {
    const mark = items.get(nameOf({ pk: pks.pending(OWNER), sk: id }))?.payload;
    return (mark as { kind?: string } | undefined)?.kind === 'unlink';
  };
  return [...edges.values()].flatMap((edge) =>
    [edge.sourceId, edge.targetId]
      .filter((id) => !nodes.has(id) && !leaving(id))
      .map((id) => `edge ${edge.id} has no end ${id}`),
  );
}

async function examineBrain(dataDir: string, expectations: Iterable<Expectation>): Promise<string[]> {
  const brain = await openBrain(readSettings({}, { dataDir, logLevel: 'silent' }));
  try {
    await brain.services.pending.finish(brain.owner);
    const { nodes, stored } = examineDatabase(dataDir);
    const marks = [...stored.items.values()].filter((item) => item.pk === pks.pending(OWNER));
    return [
      ...marks.map((mark) => `${mark.sk} is still marked: ${JSON.stringify(mark.payload)}`),
      ...(await compareExpectations(brain, expectations)),
      ...(await compareIndexes(await brain.services.indexes.ready(brain.owner), nodes)),
    ];
  } finally {
    await brain.close();
  }
}

/** What was acknowledged is read as it was acknowledged. */
async function compareExpectations(brain: Brain, expectations: Iterable<Expectation>): Promise<string[]> {
  const complaints: string[] = [];
  for (const { kind, id, anyOf } of expectations) {
    const answer = await brain.app.inject({ method: 'GET', url: `/api/v2/${kind}/${id}` });
    const entity = answer.statusCode === 404 ? 'gone' : answer.json<Facts>();
    if (!anyOf.some((one) => agrees(entity, one)))
      complaints.push(`${kind} ${id} is ${JSON.stringify(entity)}, told was ${JSON.stringify(anyOf)}`);
  }
  return complaints;
}

function agrees(entity: Facts | 'gone', told: Facts | 'gone'): boolean {
  if (entity === 'gone' || told === 'gone') return entity === told;
  return Object.entries(told).every(([field, value]) => isDeepStrictEqual(entity[field], value));
}

/** An index that is made of the notes anew. */
export function indexOf(nodes: Iterable<Node>): LinkIndex {
  const index = new LinkIndex();
  for (const { id, title, aliases, tags, content: text, version, archived } of nodes)
    if (!archived) index.put({ id, title, aliases, tags, text, version });
  index.settle();
  return index;
}

/** The index, wherever it came from, answers as one that is made of the notes anew. */
async function compareIndexes(index: NoteIndex, nodes: ReadonlyMap<string, Node>): Promise<string[]> {
  const rebuilt = indexOf(nodes.values());
  const versions = (of: Pick<NoteIndex, 'ids' | 'versionOf'>) =>
    [...of.ids()].sort().map((id) => `${id} ${of.versionOf(id)}`);
  const [known, wanted] = [new Set(versions(index)), new Set(versions(rebuilt))];
  const complaints = [
    ...[...wanted.difference(known)].map((note) => `the index lacks ${note}`),
    ...[...known.difference(wanted)].map((note) => `the index has ${note}, which is not stored`),
  ];
  if (complaints.length > 0) return complaints;
  await index.settle();
  const answers = async (of: NoteIndex | LinkIndex, id: string, title: string) => ({
    related: (await of.related(id, RELATED_NOTES)).map((related) => [related.id, related.weight.toFixed(6)]),
    found: (await of.search(title, { limit: FOUND_NOTES })).map((hit) => `${hit.id} ${hit.score.toFixed(6)}`),
  });
  const step = Math.max(1, Math.floor(rebuilt.size / COMPARED_NOTES));
  for (const [at, id] of [...rebuilt.ids()].entries()) {
    if (at % step > 0) continue;
    const title = nodes.get(id)?.title ?? '';
    if (!isDeepStrictEqual(await answers(index, id, title), await answers(rebuilt, id, title)))
      complaints.push(`the index answers otherwise about ${id} than one made anew`);
  }
  return complaints;
}
