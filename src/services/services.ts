import { categoryId, edgeId, jobId, nodeId, tokenId, type OwnerId } from '../domain/values.ts';
import type { Log } from '../shared/log.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Store } from '../storage/store.ts';
import { bulkService, type BulkService } from './bulk.ts';
import { browseService, type BrowseService } from './browse.ts';
import { categoryService, type CategoryService } from './categories.ts';
import { categoryRebuildService, type CategoryRebuildService } from './category-rebuild.ts';
import { DeprecatedCallCounter } from './deprecated-calls.ts';
import { edgeService, type EdgeService } from './edges.ts';
import { graphService, type GraphService } from './graph.ts';
import { exportJobs, type ExportJobs, type VaultWriter } from './export-job.ts';
import { importJobs, type ImportJobs, type ImportReader } from './import-job.ts';
import { importService, type ImportService } from './imports.ts';
import type { SnapshotStore } from './index-snapshot.ts';
import { IndexThread } from './index-thread.ts';
import { insightService, type InsightService } from './insights.ts';
import { Jobs, type HandOver } from './jobs.ts';
import { linkRuns, type LinkRuns } from './link-runs.ts';
import { linker, type Linker } from './linker.ts';
import { nodeService, type NodeService } from './nodes.ts';
import { OwnerIndexes } from './owner-indexes.ts';
import { ownerService, type OwnerService } from './owners.ts';
import { pendingService, type PendingService } from './pending.ts';
import { receiptService, type ReceiptService } from './receipts.ts';
import { relinkService, type RelinkService } from './relink.ts';
import { searchService, type SearchService } from './search.ts';
import { ShownNotes } from './shown-notes.ts';
import { suggestionService, type SuggestionService } from './suggestions.ts';
import { tokenService, type TokenService } from './tokens.ts';

/** All use cases, joined. Every host (Node, Lambda, a test) makes them so and puts its own face before them. */
export interface Services {
  readonly nodes: NodeService;
  readonly shown: ShownNotes;
  readonly edges: EdgeService;
  readonly categories: CategoryService;
  readonly graph: GraphService;
  readonly search: SearchService;
  readonly bulk: BulkService;
  readonly imports: ImportService;
  readonly runs: LinkRuns;
  readonly jobs: Jobs;
  readonly relink: RelinkService;
  readonly importJobs: ImportJobs;
  readonly exportJobs: ExportJobs;
  readonly browse: BrowseService;
  readonly suggestions: SuggestionService;
  readonly rebuild: CategoryRebuildService;
  readonly insights: InsightService;
  readonly pending: PendingService;
  readonly indexes: OwnerIndexes;
  readonly deprecatedCalls: DeprecatedCallCounter;
  readonly owners: OwnerService;
  readonly tokens: TokenService;
  readonly receipts: ReceiptService;
}

export function createServices(needs: {
  readonly store: Store;
  readonly snapshots: SnapshotStore;
  /** Absent: a thread of its own. */
  readonly indexThread?: IndexThread | undefined;
  readonly log: Log;
  readonly blobs: Blobs;
  /** The formats of what is imported and exported. */
  readonly formats: { readonly reader: ImportReader; readonly writeVault: VaultWriter };
  /** Makes UUIDs that sort in the order of their making. */
  readonly newId: (atMs?: number) => string;
  /** Stands before the linker, to see what it does. */
  readonly watchLinker?: ((linker: Linker) => Linker) | undefined;
  readonly nowMs?: (() => number) | undefined;
  /** An owner who is served whether or not they are stored. */
  readonly resident?: OwnerId | undefined;
  /** Other processes work on the same store. */
  readonly isShared?: boolean | undefined;
  /** Is told whose jobs wait, where this process begins none. */
  readonly handOver?: HandOver | undefined;
}): Services {
  const { store, snapshots, indexThread = new IndexThread(), log, blobs, formats, newId } = needs;
  const { watchLinker = (same) => same, nowMs = Date.now, resident, isShared = false, handOver } = needs;
  const newNodeId = (atMs?: number) => nodeId(newId(atMs));
  const newEdgeId = () => edgeId(newId());
  const newCategoryId = () => categoryId(newId());
  const indexes = new OwnerIndexes({ store, snapshots, thread: indexThread });
  const links = watchLinker(linker({ newEdgeId }));
  const pending = pendingService({ store, indexes, linker: links, nowMs });
  const nodes = nodeService({ store, indexes, linker: links, pending, newNodeId });
  const categories = categoryService({ store, newCategoryId });
  const runs = linkRuns({ store, indexes, newNodeId, isShared });
  const newJobId = () => jobId(newId());
  const jobs = new Jobs({ store, log, nowMs, newJobId, runnerId: newId(), isShared, handOver });
  const imports = importService({ store, runs, pending, nodes, categories, newNodeId });
  return {
    nodes,
    shown: new ShownNotes({ store, isShared }),
    categories,
    pending,
    indexes,
    deprecatedCalls: new DeprecatedCallCounter({ store }),
    owners: ownerService({ store, resident }),
    tokens: tokenService({ store, newTokenId: () => tokenId(newId()), nowMs }),
    receipts: receiptService({ store }),
    edges: edgeService({ store, indexes, newEdgeId }),
    graph: graphService({ store, indexes }),
    search: searchService({ store, indexes }),
    browse: browseService({ store, indexes, nodes }),
    suggestions: suggestionService({ store, indexes, nodes }),
    rebuild: categoryRebuildService({ store, indexes, categories }),
    insights: insightService({ store, indexes }),
    bulk: bulkService({ store, indexes, linker: links, pending, nodes, runs, newNodeId }),
    runs,
    jobs,
    relink: relinkService({ store, indexes, pending, jobs, newEdgeId }),
    imports,
    importJobs: importJobs({ store, jobs, imports, blobs, reader: formats.reader, newId }),
    exportJobs: exportJobs({ store, jobs, blobs, writeVault: formats.writeVault }),
  };
}
