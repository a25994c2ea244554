import type { Node } from '../../api/v2.ts';
import { allPages } from '../../client/all-pages.ts';
import type { BrainClient } from '../../client/http-client.ts';
import type { CollectedNote } from '../../vault/collection.ts';
import { eachConcurrent } from '../../shared/each-concurrent.ts';
import { piecesOf } from '../../shared/pieces.ts';
import { onGraph, type Cli } from '../cli.ts';
import { makeCategories, removeCategories } from '../demo-categories.ts';
import { DEMO, isEdited, isOfPerson, readDemo, type DemoNotes } from '../demo-notes.ts';
import {
  demoLines,
  demoSteps,
  removalLines,
  stepLines,
  type DemoReport,
  type Kept,
  type Removal,
} from '../demo-report.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { followImport, type Followed } from '../follow-import.ts';
import { interruption } from '../interruption.ts';
import { progressOn, SILENT, type Progress } from '../progress.ts';

export interface DemoOptions {
  readonly remove?: boolean;
  readonly force?: boolean;
}

const READS_AT_ONCE = 8;
/** As many of the greatest notes fit into one answer. */
const NOTES_A_READ = 20;

/** Brings the notes that come with Brain2, or takes them away again. What a person made of them stays, unless `force`. */
export async function demoCommand(cli: Cli, { remove, force }: DemoOptions): Promise<ExitCode> {
  const settings = cli.settings(); // a wrong setting is told before the reading, not after it
  const { screen } = cli;
  const progress = screen.json ? SILENT : progressOn(process.stderr);
  const interrupt = interruption();
  const { signal } = interrupt;
  const onDemo = async <T>(work: (given: Work) => Promise<T>): Promise<T> => {
    const demo = await readDemo(signal);
    const given = { demo, progress, signal, force: force === true };
    return onGraph(cli, { creates: remove !== true }, (client) => work({ ...given, client })).finally(() =>
      progress.end(),
    );
  };
  try {
    if (remove) {
      const report = await onDemo(takeBack);
      await (screen.json ? screen.document(report) : screen.print(...removalLines(report)));
      return EXIT.ok;
    }
    const report = await onDemo(bring);
    const next = demoSteps(settings);
    if (screen.json) await screen.document({ ...report, next: next.map(({ command }) => command) });
    else await screen.print(...demoLines(report));
    screen.tell('Next:', ...stepLines(next));
    return report.failed.length > 0 ? EXIT.partial : EXIT.ok;
  } finally {
    progress.end();
    interrupt.end();
  }
}

interface Work {
  readonly client: BrainClient;
  readonly demo: DemoNotes;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly force: boolean;
}

async function bring(work: Work): Promise<DemoReport> {
  const { client, demo, force } = work;
  const before = await present(work);
  const kept = force ? [] : [...before.values()].filter((note) => isEdited(note));
  const isKept = new Set(kept.map(({ source }) => source.key));
  const categories = await makeCategories(client);
  // The log is to have something to tell: what is new and was edited since comes as it was at first.
  const earlier = demo.earlier.filter(({ key }) => !before.has(key));
  const first = earlier.length > 0 ? await send(work, earlier) : undefined;
  const notes = demo.notes.filter(({ key }) => !isKept.has(key));
  const { summary, failed } = await send(work, notes);
  await removeNotes(client, outdated(before, demo));
  return {
    created: summary.created + earlier.length,
    updated: summary.updated - earlier.length,
    unchanged: summary.unchanged,
    kept: kept.map((note) => keptBecause(note, 'edited')),
    failed: failed.map(({ key, problem }) => ({ key, detail: problem?.detail ?? 'not stored' })),
    categories,
    references: summary.references,
    automatic: summary.automatic + (first?.summary.automatic ?? 0),
    graph: { notes: summary.notes, edges: summary.edges },
  };
}

async function takeBack(work: Work): Promise<Removal> {
  const { client, force } = work;
  const notes = [...(await present(work)).values()];
  const ids = new Set(notes.map(({ id }) => id));
  const kept: Kept[] = [];
  const own: Node[] = [];
  const looks = eachConcurrent(notes, { limit: READS_AT_ONCE, signal: work.signal }, async (note) => ({
    note,
    because: force ? undefined : await reasonToKeep(client, note, ids),
  }));
  for await (const { note, because } of looks) {
    if (because === undefined) own.push(note);
    else kept.push(keptBecause(note, because));
  }
  const changed = await removeNotes(client, own);
  const categories = await removeCategories(client);
  const { nodes, edges } = await client.stats();
  return {
    removed: own.length - changed.length,
    kept: [...kept, ...changed.map((note) => keptBecause(note, 'edited'))],
    categories,
    graph: { notes: nodes.total, edges: edges.total },
  };
}

/** The notes of the demo that the graph has, by their keys; those of an earlier release among them. */
async function present({ client, demo, signal }: Work): Promise<ReadonlyMap<string, Node>> {
  const ids: string[] = [];
  for await (const event of client.import(demo.notes, { collection: DEMO, dryRun: true })) {
    signal.throwIfAborted();
    const isThere = event.type === 'missing' || (event.type === 'item' && event.status !== 'created');
    if (isThere && event.nodeId !== undefined) ids.push(event.nodeId);
  }
  const notes = new Map<string, Node>();
  for (const some of piecesOf(ids, NOTES_A_READ)) {
    const { items } = await client.nodes.bulk.get(some);
    for (const { node } of items) if (node?.source.key !== undefined) notes.set(node.source.key, node);
  }
  return notes;
}

function send({ client, progress, signal }: Work, notes: readonly CollectedNote[]): Promise<Followed> {
  const events = client.import(notes, { collection: DEMO });
  return followImport(events, { total: notes.length, progress, signal });
}

/** Notes of an earlier release that this one no longer has. */
function outdated(before: ReadonlyMap<string, Node>, { notes }: DemoNotes): Node[] {
  const known = new Set(notes.map(({ key }) => key));
  return [...before].flatMap(([key, note]) => (known.has(key) || isEdited(note) ? [] : [note]));
}

async function reasonToKeep(
  client: BrainClient,
  note: Node,
  demo: ReadonlySet<string>,
): Promise<Kept['because'] | undefined> {
  if (isEdited(note)) return 'edited';
  const edges = allPages((page) => client.nodes.edges(note.id, page));
  for await (const edge of edges) if (isOfPerson(edge, demo)) return 'linked';
  return undefined;
}

/** Deletes the notes as they were read, and gives those that have changed since. */
async function removeNotes(client: BrainClient, notes: readonly Node[]): Promise<readonly Node[]> {
  if (notes.length === 0) return [];
  const refs = notes.map(({ id, version }) => ({ id, ifMatch: `"${version}"` }));
  const { items } = await client.nodes.bulk.delete({ mode: 'partial', items: refs });
  return items.flatMap(({ index, problem }) => {
    const note = notes[index];
    return note && problem && problem.code !== 'not_found' ? [note] : [];
  });
}

function keptBecause({ id, label }: Node, because: Kept['because']): Kept {
  return { id, label, because };
}
