import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BrainError, toBrainError } from '../domain/error.ts';
import type { OwnerId } from '../domain/values.ts';
import type { SnapshotStore } from '../services/index-snapshot.ts';
import { verifyIndex } from '../services/verify-index.ts';
import { sqliteVerifySource } from '../storage/embedded/sqlite-verify-source.ts';
import { findOwners } from '../storage/verify/find-owners.ts';
import { Findings, type OnProgress, type Problem, type ProblemKind } from '../storage/verify/problem.ts';
import type { VerifySource } from '../storage/verify/source.ts';
import { verifyOwner, type OwnerCounts } from '../storage/verify/verify-owner.ts';
import { indexFolder } from './index-folder.ts';
import type { Settings } from './settings.ts';

export interface FixableProblem extends Problem {
  readonly fix: string;
}

export interface Verification {
  readonly ok: boolean;
  /** What was looked at: a database file, or a table. */
  readonly of: string;
  readonly owners: readonly ({ readonly owner: OwnerId } & OwnerCounts & {
      /** Notes about which the stored index was asked; 0 where there is none, or where rows are wrong. */
      readonly compared: number;
    })[];
  /** The first thousand of each owner. */
  readonly problems: readonly FixableProblem[];
  readonly problemCount: number;
}

/** What is checked, and what is to be done about what is found. */
interface Subject {
  readonly name: string;
  readonly source: VerifySource;
  readonly loadIndex?: SnapshotStore['load'] | undefined;
  readonly fixes: { readonly lost: string; readonly derived: string };
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

const FIXES_OF_A_FILE: Subject['fixes'] = {
  lost: 'restore the last backup with `brain2 restore`; what is still readable, `brain2 export` writes out',
  derived:
    'restore the last backup with `brain2 restore`; or `brain2 export` a folder, and import it into a new --data folder',
};
const FIXES_OF_A_TABLE: Subject['fixes'] = {
  lost: 'restore the table to a moment before, of the last 35 days (point-in-time recovery)',
  derived:
    'restore the table to a moment before, of the last 35 days; or `brain2 export` a folder, and import it into a new table',
};

/**
 * Checks everything that is stored, beside whoever serves it, and changes nothing. Throws `not_found` where nothing is
 * stored, `corrupt` and `schema_newer` for what is no database of this Brain2, `contended`.
 */
export async function verify(settings: Settings, onProgress: OnProgress = () => {}): Promise<Verification> {
  if (settings.store === 'dynamodb') {
    const { tableToVerify } = await import('./verify-table.ts'); // the SDK takes 0.2 s to load
    return check({ ...(await tableToVerify(settings, nowSeconds)), fixes: FIXES_OF_A_TABLE }, onProgress);
  }
  const { dataDir } = settings;
  const { load } = indexFolder(join(dataDir, 'index'));
  return check({ ...fileOf(join(dataDir, 'brain2.sqlite')), loadIndex: load }, onProgress);
}

/** The same of a file by itself, such as a backup. */
export function verifyFile(path: string, onProgress: OnProgress = () => {}): Promise<Verification> {
  return check(fileOf(path), onProgress);
}

function fileOf(path: string): Subject {
  if (!existsSync(path)) throw new BrainError('not_found', `there is no database at ${path}`);
  return { name: path, source: sqliteVerifySource(path, nowSeconds), fixes: FIXES_OF_A_FILE };
}

async function check(subject: Subject, onProgress: OnProgress): Promise<Verification> {
  const { name, source } = subject;
  const all: Findings[] = [];
  const owners: Verification['owners'][number][] = [];
  try {
    onProgress('engine', 0, 1);
    const ofNobody = new Findings();
    all.push(ofNobody);
    for (const line of source.checkEngine()) ofNobody.add('engine', name, line);
    for (const owner of await findOwners(source, ofNobody)) {
      const { counts, compared, findings } = await checkOwner(subject, owner, onProgress);
      all.push(...findings);
      owners.push({ owner, ...counts, compared });
    }
  } catch (error) {
    const failure = toBrainError(error);
    if (failure.code !== 'corrupt') throw failure;
    const unreadable = new Findings();
    unreadable.add('engine', name, `cannot be read on: ${failure.message}`);
    all.push(unreadable);
  } finally {
    await source.close();
  }
  const problemCount = all.reduce((sum, { total }) => sum + total, 0);
  const problems = all.flatMap((findings) => findings.problems);
  return {
    ok: problemCount === 0,
    of: name,
    owners,
    problems: problems.map((problem) => ({ ...problem, fix: fixOf(problem.kind, subject) })),
    problemCount,
  };
}

async function checkOwner({ source, loadIndex }: Subject, owner: OwnerId, onProgress: OnProgress) {
  // Before the moment at which the owner is read: it then knows no more than the log.
  const stored = await loadIndex?.(owner);
  return source.atRest(owner, async (from) => {
    const { counts, findings } = await verifyOwner(from, owner, onProgress);
    if (!stored || findings.total > 0) return { counts, compared: 0, findings: [findings] };
    const index = await verifyIndex(from.reader, owner, { stored, total: counts.nodes, onProgress });
    return { counts, compared: index.compared, findings: [findings, index.findings] };
  });
}

function fixOf(kind: ProblemKind, { name, fixes: { lost, derived } }: Subject): string {
  switch (kind) {
    case 'index':
      return `stop the server and delete ${join(dirname(name), 'index')}: the next start makes it anew of the notes`;
    case 'index_row':
    case 'counts':
    case 'edge_end':
      return derived;
    case 'engine':
    case 'row':
    case 'log':
    case 'state':
      return lost;
  }
}
