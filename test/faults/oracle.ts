import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Edge } from '../../src/domain/edge.ts';
import type { Node } from '../../src/domain/node.ts';
import { ownerId } from '../../src/domain/values.ts';
import { LinkIndex } from '../../src/linking/link-index.ts';
import { openBrain, type Brain } from '../../src/server/brain.ts';
import { readSettings } from '../../src/server/settings.ts';
import { verify } from '../../src/server/verify.ts';
import { sqliteVerifySource } from '../../src/storage/embedded/sqlite-verify-source.ts';
import { repositories } from '../../src/storage/repositories.ts';

/** Fields that something stored must have. */
export type Facts = Readonly<Record<string, unknown>>;

/** What a client was told of one thing. While a change of it is under way, what it becomes may stand as well. */
export interface Expectation {
  readonly kind: 'nodes' | 'edges' | 'categories';
  readonly id: string;
  readonly anyOf: readonly (Facts | 'gone')[];
}

const OWNER = ownerId('local');
const COMPLAINTS_TOLD = 20;

/**
 * Holds a data folder that no process has open against what clients were told: `brain2 verify` before the product opens
 * it and after, and what was told through the product. Gives what is wrong; nothing, if all is well.
 */
export async function examine(
  dataDir: string,
  expectations: Iterable<Expectation>,
): Promise<readonly string[]> {
  const found = (await verified(dataDir)).map((complaint) => `as it was left: ${complaint}`);
  found.push(...(await examineBrain(dataDir, expectations)));
  found.push(...(await verified(dataDir)).map((complaint) => `once opened: ${complaint}`));
  if (found.length <= COMPLAINTS_TOLD) return found;
  return [...found.slice(0, COMPLAINTS_TOLD), `and ${found.length - COMPLAINTS_TOLD} more`];
}

/** What `brain2 verify` says of the folder, which it leaves as it is. */
export async function verified(dataDir: string): Promise<readonly string[]> {
  if (!existsSync(join(dataDir, 'brain2.sqlite'))) return []; // killed before there was anything
  const { problems } = await verify(settingsOf(dataDir));
  return problems.map(({ kind, key, message }) => `${kind} ${key}: ${message}`);
}

/** The graph as it is stored, by its rows. */
export async function storedGraph(dataDir: string): Promise<StoredGraph> {
  const source = sqliteVerifySource(join(dataDir, 'brain2.sqlite'), () => 0);
  try {
    return await source.atRest(OWNER, async ({ reader }) => {
      const { nodes, edges } = repositories(OWNER, reader);
      const byId = <T extends { readonly id: string }>(all: readonly T[]) =>
        new Map(all.map((one) => [one.id, one]));
      return {
        nodes: byId(await Array.fromAsync(nodes.all())),
        edges: byId(await Array.fromAsync(edges.all())),
      };
    });
  } finally {
    await source.close();
  }
}

export interface StoredGraph {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly edges: ReadonlyMap<string, Edge>;
}

const settingsOf = (dataDir: string) => readSettings({}, { dataDir, logLevel: 'silent' });

async function examineBrain(dataDir: string, expectations: Iterable<Expectation>): Promise<string[]> {
  const brain = await openBrain(settingsOf(dataDir));
  try {
    await brain.services.pending.finish(brain.owner);
    await brain.services.indexes.ready(brain.owner); // so that it is stored at the end, and verified
    const left = (await verify(settingsOf(dataDir))).owners.reduce((sum, { pending }) => sum + pending, 0);
    return [
      ...(left > 0 ? [`${left} works are still marked`] : []),
      ...(await compareExpectations(brain, expectations)),
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
