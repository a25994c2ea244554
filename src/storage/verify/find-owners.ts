import { ownerId, type OwnerId } from '../../domain/values.ts';
import { keys, pks } from '../keys.ts';
import type { Findings } from './problem.ts';
import type { AtRest, VerifySource } from './source.ts';

/** What only an owner with a head can have. */
const OF_A_GRAPH = [
  pks.nodes,
  pks.nodesByUpdate,
  pks.edges,
  pks.decisions,
  pks.categories,
  pks.nodesOfCategories,
  pks.tags,
  pks.sources,
  pks.log,
  pks.pending,
];

/** Everybody of whom something is stored, and the parts of graphs and the tokens that are nobody's. */
export async function findOwners(source: VerifySource, findings: Findings): Promise<readonly OwnerId[]> {
  const owners: OwnerId[] = [];
  const others: string[] = [];
  const isOwner = ({ reader }: AtRest, owner: OwnerId) => reader.get(keys.head(owner));
  for await (const pk of source.partitions()) {
    const owner = pk.includes('#') ? undefined : asOwner(pk);
    if (owner === undefined) others.push(pk);
    else if (await source.atRest(owner, (from) => isOwner(from, owner))) owners.push(owner);
  }
  const known = new Set<string>(owners);
  for (const pk of others) {
    const name = asOwner(pk.slice(0, Math.max(0, pk.lastIndexOf('#'))));
    if (name === undefined || known.has(name) || !OF_A_GRAPH.some((of) => of(name) === pk)) continue;
    findings.add('row', pk, `a part of a graph whose owner ${name} has no head`);
  }
  return owners;
}

function asOwner(name: string): OwnerId | undefined {
  try {
    return ownerId(name);
  } catch {
    return undefined;
  }
}
