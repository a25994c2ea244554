import { isDeepStrictEqual } from 'node:util';
import type { OwnerId } from '../../domain/values.ts';
import type { BaseRepository } from '../base-repository.ts';
import { keys } from '../keys.ts';
import { readHead, type Head } from '../log.ts';
import { repositories, type Repositories } from '../repositories.ts';
import { everyItem, type TableReader } from '../table.ts';
import { LogFold, type StoredKind } from './log-fold.ts';
import { Findings, type OnProgress } from './problem.ts';
import type { AtRest } from './source.ts';
import {
  checkRows,
  checkWhole,
  decoded,
  kindsOf,
  type Entity,
  type EntityName,
  type Place,
} from './stored-rows.ts';

/** What was looked at. */
export interface OwnerCounts {
  readonly nodes: number;
  readonly edges: number;
  readonly categories: number;
  /** Of the log, as far back as it is kept. */
  readonly events: number;
  /** Work that is promised and not yet done, such as notes that are to be linked: no problem. */
  readonly pending: number;
}

const COUNTED = { node: 'nodes', edge: 'edges', category: 'categories' } as const;
const ROWS_A_TICK = 100;

/**
 * Holds all that is stored of an owner together: entities and the rows of their indexes, edges and their notes, the
 * counts, and the log, whose fold is what is stored.
 */
export async function verifyOwner(
  { reader, damaged }: AtRest,
  owner: OwnerId,
  onProgress: OnProgress,
): Promise<{ readonly counts: OwnerCounts; readonly findings: Findings }> {
  const findings = new Findings(owner);
  const head = await readHead(reader, owner);
  if (!head) {
    findings.add('counts', keys.head(owner), 'is not there');
    return { counts: { nodes: 0, edges: 0, categories: 0, events: 0, pending: 0 }, findings };
  }
  const repos = repositories(owner, reader);
  const checkAll = async <T, Id>(base: BaseRepository<T, Id>): Promise<void> => {
    const whole = readWhole(base, reader, findings);
    while ((await whole.next()).done !== true);
  };
  const pending = await Array.fromAsync(readWhole(repos.pending, reader, findings));
  const leaving = new Set(pending.flatMap((work) => (work.kind === 'unlink' ? [work.nodeId] : [])));
  const kinds = await readGraph(reader, repos, { head, leaving, findings, onProgress });
  const counts = countsOf(kinds);
  if (!isDeepStrictEqual(counts, head.counts)) {
    const [said, found] = [head.counts, counts].map((of) => JSON.stringify(of));
    findings.add('counts', keys.head(owner), `says ${said}, stored are ${found}`);
  }
  const fold = new LogFold(reader, { head, kinds, findings });
  const events = await fold.run(owner, (done) => onProgress('log', done, head.seq - head.floorSeq));
  const { decisions, tokens, receipts, jobs, jobItems, deprecatedCalls } = repos;
  await checkAll(decisions);
  await checkAll(tokens);
  await checkAll(receipts);
  await checkAll(jobs.base);
  await checkAll(jobItems);
  await checkAll(deprecatedCalls);
  for (const key of damaged.values())
    findings.add('row', key, 'is not what was written: its checksum is another');
  return { counts: { ...counts, events, pending: pending.length }, findings };
}

async function readGraph(
  reader: TableReader,
  repos: Repositories,
  {
    head,
    leaving,
    findings,
    onProgress,
  }: {
    readonly head: Head;
    /** Notes that are gone and whose last edges are still to go. */
    readonly leaving: ReadonlySet<string>;
    readonly findings: Findings;
    readonly onProgress: OnProgress;
  },
): Promise<readonly StoredKind[]> {
  const kinds: StoredKind[] = [];
  let nodes: ReadonlyMap<string, Place> = new Map();
  for (const kind of kindsOf(repos)) {
    let done = 0;
    const onEntity = (entity: Entity): void => {
      done += 1;
      if (done % ROWS_A_TICK === 0) onProgress(COUNTED[kind.name], done, head.counts[COUNTED[kind.name]]);
      if (!('sourceId' in entity)) return;
      for (const end of [entity.sourceId, entity.targetId]) {
        if (!nodes.has(end) && !leaving.has(end))
          findings.add('edge_end', kind.base.keyOf(entity), `has no end ${end}`);
      }
    };
    const places = await checkRows(reader, kind, { findings, onEntity });
    if (kind.name === 'node') nodes = places;
    kinds.push({ kind, places });
  }
  return kinds;
}

function countsOf(kinds: readonly StoredKind[]): Head['counts'] {
  const count = (name: EntityName): number => kinds.find(({ kind }) => kind.name === name)?.places.size ?? 0;
  return { nodes: count('node'), edges: count('edge'), categories: count('category') };
}

/** What stands in no log: each row lies under the key of what it holds, and the rows that point to it are there. */
async function* readWhole<T, Id>(
  base: BaseRepository<T, Id>,
  reader: TableReader,
  findings: Findings,
): AsyncGenerator<T> {
  for await (const row of everyItem(reader, base.schema.partition(base.owner))) {
    const entity = decoded(base, row, findings);
    if (entity === undefined) continue;
    const [whole, ...pointers] = base.itemsOf(entity);
    checkWhole(row, whole, findings);
    for (const pointer of pointers) {
      const there = await reader.get(pointer);
      if (there?.j !== pointer.j)
        findings.add('index_row', pointer, there ? 'points elsewhere' : 'is not there');
    }
    yield entity;
  }
}
