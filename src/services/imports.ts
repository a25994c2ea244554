import { BrainError, isBrainError, toBrainError, type ErrorCode } from '../domain/error.ts';
import type { JobItem } from '../domain/job.ts';
import type { Node } from '../domain/node.ts';
import type { CategoryId, Instant, NodeId, OwnerId } from '../domain/values.ts';
import { eachConcurrent } from '../shared/each-concurrent.ts';
import { piecesOf } from '../shared/pieces.ts';
import { Turns } from '../shared/turns.ts';
import type { Store } from '../storage/store.ts';
import type { Repositories } from '../storage/repositories.ts';
import type { Tx } from '../storage/transaction.ts';
import type { CategoryService } from './categories.ts';
import type { ImportEvent, ImportOptions, ItemStatus } from './import-events.ts';
import {
  decideImport,
  detailsOf,
  isOfCollection,
  msOf,
  statusOf,
  type ImportEntry,
  type ImportNote,
  type MadeNode,
} from './import-note.ts';
import { decideExported, takeCategory, takeDecision, takeEdge } from './import-parts.ts';
import type { ExportedPart } from './exported.ts';
import { fitNote } from './fit-note.ts';
import { resolveLinks, type LinkedSource, type References } from './import-links.ts';
import type { LinkRun, LinkRuns } from './link-runs.ts';
import { countAutomatic } from './made-edges.ts';
import type { NodeService } from './nodes.ts';
import type { PendingService } from './pending.ts';

/** What is wrong with one note, and leaves the others as they are. */
const ITEM_CODES: ReadonlySet<ErrorCode> = new Set(['invalid', 'too_large', 'conflict']);
/** Notes after which an import tells how far it is. */
const NOTES_A_REPORT = 100;
const NEVER = new Date(0).toISOString() as Instant;

interface Imported extends LinkedSource {
  readonly status: ItemStatus;
  /** Of an export: its edges are told beside it, and not by the links written in it. */
  readonly isExported?: boolean;
}

/** An edge or a decision of an export, whose ends may still be to come. */
interface Waiting {
  readonly index: number;
  readonly key: string;
  readonly take: (tx: Tx) => Promise<boolean>;
}

interface ImportNeeds {
  readonly store: Store;
  readonly runs: LinkRuns;
  readonly pending: PendingService;
  readonly nodes: NodeService;
  readonly categories: CategoryService;
  /** Of the time that the note was made, so that imported notes sort among the others by when they were written. */
  readonly newNodeId: (atMs?: number) => NodeId;
}

export type ImportService = ReturnType<typeof importService>;

export function importService(needs: ImportNeeds) {
  return {
    /**
     * Stores the notes as they come, then the links written in them, then the links of their content. Each note is a
     * transaction and told once it is durable, so an import that is cut off has lost nothing and can be run again.
     */
    async *run(
      owner: OwnerId,
      options: ImportOptions,
      entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>,
    ): AsyncGenerator<ImportEvent> {
      const run = new ImportRun(needs, owner, options);
      try {
        yield* run.events(entries);
      } finally {
        await run.stop();
      }
    },
  };
}

/** One import under way: what it has stored and counted so far. */
class ImportRun {
  readonly #needs: ImportNeeds;
  readonly #owner: OwnerId;
  readonly #options: ImportOptions;
  readonly #imported = new Map<string, Imported>();
  readonly #waiting: Waiting[] = [];
  #index = 0;
  /** Every key that came, also of what was refused: none of these is missing in the source. */
  readonly #seen = new Set<string>();
  /** Something came that cannot be read as any note: it may be any of those that did not come. */
  #hasUnnamed = false;
  readonly #counts = { created: 0, updated: 0, unchanged: 0, failed: 0, missing: 0, pruned: 0 };
  #references: Pick<References, 'stored' | 'broken'> = { stored: 0, broken: 0 };
  readonly #run: LinkRun;
  readonly #categoryIds = new Map<string, Promise<CategoryId | undefined>>();

  constructor(needs: ImportNeeds, owner: OwnerId, options: ImportOptions) {
    this.#needs = needs;
    this.#owner = owner;
    this.#options = options;
    this.#run = needs.runs.open(owner);
  }

  async *events(entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>): AsyncGenerator<ImportEvent> {
    const { signal } = this.#options;
    const limit = this.#needs.store.bulkAtOnce;
    const taken = eachConcurrent(entries, { limit, signal }, (entry) => this.#take(entry));
    for await (const event of taken) if (event) yield event;
    yield* eachConcurrent(this.#waiting, { limit, signal }, (part) => this.#storePart(part));
    yield* this.#reportMissing();
    const automatic = countAutomatic(this.#needs.store, this.#owner);
    try {
      yield* this.#link();
      const isAlone = this.#needs.runs.running(this.#owner) === 1;
      const { dryRun, signal } = this.#options;
      // Of one that was cut off: what this one found unchanged may be what that has stored.
      const spares = this.#counts.unchanged === 0;
      if (!dryRun && isAlone) await this.#needs.pending.finish(this.#owner, { signal, spares });
    } finally {
      automatic.stop();
    }
    const { nodes: notes, edges } = (await this.#needs.store.head(this.#owner)).counts;
    const { stored: references, broken: brokenReferences } = this.#references;
    yield {
      type: 'summary',
      summary: { ...this.#counts, references, brokenReferences, automatic: automatic.count, notes, edges },
    };
  }

  /** Lets go of the store. */
  stop(): Promise<void> {
    return this.#run.stop();
  }

  /** Stores one entry, or tells why it cannot be; trouble of the store itself ends the import. Called in their order. */
  async #take(entry: ImportEntry): Promise<ImportEvent | undefined> {
    const { key } = entry;
    const index = this.#index++;
    try {
      if ('refused' in entry) {
        if (entry.isUnnamed) this.#hasUnnamed = true;
        throw entry.refused;
      }
      if (this.#seen.has(key)) throw new BrainError('invalid', 'the key stands twice in this import');
      this.#seen.add(key);
      if ('part' in entry) return await this.#takePart(entry.part, { key, index });
      const { note, trimmed } = fitNote(entry);
      const saved =
        this.#knownAs(note, index) ??
        (this.#options.dryRun
          ? await this.#tryNote(note, { index, trimmed })
          : await this.#saveNote(note, { index, trimmed }));
      return this.#took(saved, trimmed);
    } catch (error) {
      return this.#failed(error, { key, index });
    }
  }

  #took(saved: Imported, trimmed: readonly string[] = []): ImportEvent {
    const { key, status, nodeId } = saved;
    this.#imported.set(key, saved);
    this.#counts[status] += 1;
    return { type: 'item', key, status, nodeId, ...(trimmed.length > 0 && { trimmed }) };
  }

  async #failed(
    error: unknown,
    { key, index }: { readonly key: string; readonly index: number },
  ): Promise<ImportEvent> {
    const { code, message, issues } = toBrainError(error);
    if (!ITEM_CODES.has(code)) throw error;
    this.#seen.add(key);
    this.#counts.failed += 1;
    const problem = { code, detail: message, errors: issues };
    await this.#keep({ index, key, status: 'failed', problem });
    return { type: 'item', key, status: 'failed', problem };
  }

  /** What an earlier run of the same import has made of the note. */
  #knownAs({ key, links = [] }: ImportNote, index: number): Imported | undefined {
    const known = this.#options.report?.known.get(index);
    if (known?.nodeId === undefined) return undefined;
    return { key, links, nodeId: known.nodeId as NodeId, status: known.status as ItemStatus };
  }

  /** Tells the report of an item that has no transaction of its own; told again, it stays the same. */
  async #keep(item: Omit<JobItem, 'jobId'>): Promise<void> {
    const { report } = this.#options;
    if (!report || report.known.has(item.index)) return;
    await this.#needs.store.write(this.#owner, async (tx) => report.keep(tx, item), { bulk: true });
  }

  /** A part of an export. Edges and decisions wait until both their ends are there. */
  async #takePart(
    part: ExportedPart,
    { key, index }: { readonly key: string; readonly index: number },
  ): Promise<ImportEvent | undefined> {
    if ('node' in part) {
      const known = this.#knownAs({ key }, index);
      if (known) return this.#took({ ...known, isExported: true });
      const decide = async (from: Repositories, now: Instant) => {
        const decision = await decideExported(from, part.node, { owner: this.#owner, now });
        return { decision, node: decision.after as Node, status: statusOf(decision) };
      };
      const { node, status } = this.#options.dryRun
        ? await decide(this.#needs.store.read(this.#owner), NEVER)
        : await this.#run.save(async (tx) => {
            const decided = await decide(tx, tx.now);
            const { status, node } = decided;
            this.#options.report?.keep(tx, { index, key, status, nodeId: node.id });
            return decided;
          });
      return this.#took({ key, nodeId: node.id, status, links: [], isExported: true });
    }
    if ('category' in part)
      return this.#storePart({ key, index, take: (tx) => takeCategory(tx, part.category) });
    const take = (tx: Tx) => ('edge' in part ? takeEdge(tx, part.edge) : takeDecision(tx, part.decision));
    this.#waiting.push({ key, index, take });
    return undefined;
  }

  async #storePart({ key, index, take }: Waiting): Promise<ImportEvent> {
    const { report, dryRun } = this.#options;
    let status = report?.known.get(index)?.status as ItemStatus | undefined;
    try {
      status ??= dryRun
        ? 'created'
        : await this.#needs.store.write(
            this.#owner,
            async (tx) => {
              const status = (await take(tx)) ? 'created' : 'unchanged';
              report?.keep(tx, { index, key, status });
              return status;
            },
            { bulk: true },
          );
    } catch (error) {
      return this.#failed(error, { key, index });
    }
    this.#counts[status] += 1;
    return { type: 'item', key, status };
  }

  /** Stores one note as its source has it, marked to be linked. */
  async #saveNote(
    note: ImportNote,
    { index, trimmed }: { readonly index: number; readonly trimmed: readonly string[] },
  ): Promise<Imported> {
    const made = this.#made(note, await this.#categoryOf(note.category));
    const details = detailsOf(note, trimmed);
    const { node, status } = await this.#run.save(async (tx) => {
      const decided = await decideImport(tx, note, tx.now, made);
      const { status, node } = decided;
      this.#options.report?.keep(tx, { index, key: note.key, status, nodeId: node.id, details });
      return decided;
    });
    return { key: note.key, nodeId: node.id, status, links: note.links ?? [] };
  }

  /** What would become of the note, without storing it. */
  async #tryNote(
    note: ImportNote,
    { index, trimmed }: { readonly index: number; readonly trimmed: readonly string[] },
  ): Promise<Imported> {
    const { key } = note;
    const details = detailsOf(note, trimmed);
    const { node, status } = await decideImport(
      this.#needs.store.read(this.#owner),
      note,
      NEVER,
      this.#made(note, undefined),
    );
    await this.#keep({ index, key, status, details, ...(status !== 'created' && { nodeId: node.id }) });
    return { key, nodeId: node.id, status, links: note.links ?? [] };
  }

  /** What a new node is made of. Once a note, so that a write which is decided again leaves no other id in the index. */
  #made(note: ImportNote, categoryId: CategoryId | undefined): MadeNode {
    const id = this.#needs.newNodeId(note.createdAt === undefined ? undefined : msOf(note.createdAt));
    return { id, owner: this.#owner, categoryId };
  }

  #categoryOf(path: readonly string[] | undefined): Promise<CategoryId | undefined> {
    if (!path || path.length === 0) return Promise.resolve(undefined);
    const name = path.join('\n');
    let id = this.#categoryIds.get(name);
    if (!id) this.#categoryIds.set(name, (id = this.#needs.categories.ensurePath(this.#owner, path)));
    return id;
  }

  /**
   * The links written in each note and those of its content, once all notes are stored and in the index, so that each
   * note sees all others.
   */
  async *#link(): AsyncGenerator<ImportEvent> {
    const { store, pending } = this.#needs;
    const all = [...this.#imported.values()];
    const noted = all.filter(({ isExported }) => !isExported);
    const references = await resolveLinks(store, this.#owner, noted);
    this.#references = references;
    if (this.#options.dryRun) return;
    const options = { references, bare: this.#run.bare, signal: this.#options.signal };
    const idsOf = (some: readonly Imported[]): NodeId[] => some.map(({ nodeId }) => nodeId);
    const changed = idsOf(noted.filter(({ status }) => status !== 'unchanged'));
    const written = idsOf(noted.filter(({ status, links }) => status === 'unchanged' && links.length > 0));
    const exported = idsOf(all.filter(({ status, isExported }) => isExported && status !== 'unchanged'));
    const total = changed.length + written.length + exported.length;
    const progress = (done: number): ImportEvent[] =>
      done % NOTES_A_REPORT === 0 || done === total
        ? [{ type: 'progress', stage: 'links', done, total }]
        : [];
    for await (const done of pending.link(this.#owner, changed, options)) yield* progress(done);
    for await (const done of pending.linkReferences(this.#owner, written, references, options))
      yield* progress(changed.length + done);
    const { signal } = this.#options;
    for await (const done of pending.link(this.#owner, exported, { signal }))
      yield* progress(changed.length + written.length + done);
    await this.#run.end();
  }

  /** Notes of the collection that the source no longer has. */
  async *#reportMissing(): AsyncGenerator<ImportEvent> {
    const { store, nodes } = this.#needs;
    const { prune, dryRun, collection, report } = this.#options;
    const from = store.read(this.#owner);
    const told = new Map<string, string>();
    for (const [index, { key, status }] of report?.known ?? []) {
      if (index < this.#index || (status !== 'missing' && status !== 'pruned')) continue;
      told.set(key, status);
      this.#counts.missing += 1;
      this.#counts.pruned += status === 'pruned' ? 1 : 0;
    }
    this.#index += told.size;
    const gone: NodeId[] = [];
    for await (const { key, nodeId } of from.nodes.sources())
      if (!this.#seen.has(key) && told.get(key) !== 'missing') gone.push(nodeId);
    const turns = new Turns();
    for (const batch of piecesOf(gone, NOTES_A_REPORT)) {
      if (turns.isOver) await turns.next();
      for (const node of await from.nodes.batchGet(batch)) {
        if (!isOfCollection(node, collection)) continue;
        const key = node.source.key ?? '';
        if (told.has(key)) {
          await deleteIfThere(nodes, node); // told of, and then cut off
          continue;
        }
        const pruned = prune && !dryRun && !this.#hasUnnamed;
        await this.#keep({
          index: this.#index++,
          key,
          status: pruned ? 'pruned' : 'missing',
          nodeId: node.id,
        });
        if (pruned) await deleteIfThere(nodes, node);
        this.#counts.missing += 1;
        this.#counts.pruned += pruned ? 1 : 0;
        yield { type: 'missing', key, nodeId: node.id, pruned };
      }
    }
  }
}

/** Another may have deleted it since it was read. */
async function deleteIfThere(nodes: NodeService, { owner, id }: Node): Promise<void> {
  try {
    await nodes.delete(owner, id);
  } catch (error) {
    if (!isBrainError(error, 'not_found')) throw error;
  }
}
