import { BrainError } from '../domain/error.ts';
import { keys } from './keys.ts';
import { DigestOf, type Digest } from './table-digest.ts';
import type { Item, Key, Table } from './table.ts';
import type { WholeTable } from './whole-table.ts';

/** One of the two stores of a move. */
export interface Side {
  /** Says which store it is, such as `sqlite /home/me/data`: a move goes on only from the store that it began with. */
  readonly name: string;
  readonly table: Table;
  readonly whole: WholeTable;
}

/** What becomes of a target that is not empty. */
export type CopyMode =
  /** It is refused. */
  | 'new'
  /** A move that was cut off is gone on with; anything else is refused. */
  | 'resume'
  /** All that it holds is deleted. */
  | 'force';

export type CopyStage = 'emptying' | 'copying' | 'comparing';

export interface CopyOptions {
  readonly source: Side;
  readonly target: Side;
  readonly mode: CopyMode;
  readonly nowSeconds: () => number;
  readonly onProgress: (stage: CopyStage, done: number, total: number) => void;
}

export interface Copied extends Digest {
  /** Items that an earlier run, which was cut off, had copied. */
  readonly resumedAt: number;
}

/** How far a move is, as an item of the target: all up to `after` is there. */
interface Position {
  readonly source: string;
  readonly stage: CopyStage;
  readonly after?: Key | undefined;
  readonly items: number;
}

const OPERATION = 'store.migrate';

/**
 * Copies every item that has not expired, then reads both stores and compares them. What is copied twice, after a cut,
 * is the same item. Nobody may write to either meanwhile; a write that the comparison sees is refused.
 * Throws `conflict`: a move into the source was cut off, the target is not empty (nothing of it is changed), or the two
 * are not equal in the end.
 */
export async function copyTable(options: CopyOptions): Promise<Copied> {
  await refuseUnfinished(options.source.table);
  let position = await begin(options);
  const resumedAt = position.items;
  if (position.stage === 'emptying') position = await empty(options, position);
  if (position.stage === 'copying') position = await copy(options, position);
  const digest = await compare(options, position);
  await options.target.whole.write([{ del: keys.migration() }]);
  return { ...digest, resumedAt };
}

/** Throws `conflict` for a store that a move was to fill and has not yet. */
export async function refuseUnfinished(table: Table): Promise<void> {
  const position = await positionOf(table);
  if (!position) return;
  throw new BrainError(
    'conflict',
    `a migration from ${position.source} into this store was cut off, so it is not whole: ` +
      'go on with `brain2 migrate … --resume`, or begin anew with --force',
    { operation: 'store.open' },
  );
}

async function begin({ source, target, mode }: CopyOptions): Promise<Position> {
  const found = await positionOf(target.table);
  const fresh: Position = { source: source.name, stage: 'copying', items: 0 };
  if (found && mode === 'resume') {
    if (found.source === source.name) return found;
    throw refusal(`the migration that was cut off there is from ${found.source}, not from ${source.name}`);
  }
  if (found && mode === 'new') {
    throw refusal(
      `a migration from ${found.source} was cut off there: add --resume to go on with it, or --force to ` +
        `delete what ${target.name} holds and begin anew`,
    );
  }
  if (await isEmpty(target)) return keep(target, fresh);
  if (mode === 'force') return keep(target, { ...fresh, stage: 'emptying' });
  throw refusal(
    mode === 'resume'
      ? `${target.name} is not empty, and no migration was cut off there`
      : `${target.name} is not empty: add --force to delete all that it holds`,
  );
}

async function empty({ target, onProgress }: CopyOptions, position: Position): Promise<Position> {
  const total = await target.whole.estimate();
  let deleted = 0;
  for await (const { items } of pagesOf(target.whole)) {
    await target.whole.write(items.map(({ pk, sk }) => ({ del: { pk, sk } })));
    deleted += items.length;
    onProgress('emptying', deleted, Math.max(deleted, total));
  }
  return keep(target, { ...position, stage: 'copying' });
}

async function copy(options: CopyOptions, begun: Position): Promise<Position> {
  const { source, target, nowSeconds, onProgress } = options;
  const total = await source.whole.estimate();
  let position = begun;
  for await (const { items, next } of pagesOf(source.whole, begun.after)) {
    const now = nowSeconds();
    const alive = items.filter((item) => isAlive(item, now));
    await target.whole.write(alive.map((put) => ({ put })));
    const done = position.items + alive.length;
    const stage = next ? 'copying' : 'comparing';
    position = await keep(target, { ...position, stage, after: next, items: done });
    onProgress('copying', done, Math.max(done, total));
  }
  return position;
}

async function compare(options: CopyOptions, position: Position): Promise<Digest> {
  const { source, target, nowSeconds, onProgress } = options;
  const now = nowSeconds(); // one for both: what expires meanwhile is still there, engines remove it later
  const done = { items: 0 };
  const told = (items: number): void => {
    done.items += items;
    onProgress('comparing', done.items, Math.max(done.items, position.items * 2));
  };
  const [before, after] = await Promise.all([source, target].map(({ whole }) => digestOf(whole, now, told)));
  if (before && before.hash === after?.hash && before.items === after.items) return before;
  throw new BrainError(
    'conflict',
    `${target.name} does not hold what ${source.name} holds: something wrote to one of them. ` +
      'Stop that, and begin anew with --force.',
    { operation: OPERATION, details: { source: before, target: after } },
  );
}

async function digestOf(whole: WholeTable, now: number, told: (items: number) => void): Promise<Digest> {
  const digest = new DigestOf();
  for await (const { items } of pagesOf(whole)) {
    for (const item of items) if (isAlive(item, now)) digest.add(item);
    told(items.length);
  }
  return digest.digest;
}

/** Every page but for what is the move's own. */
async function* pagesOf(whole: WholeTable, from?: Key) {
  let after = from;
  do {
    const { items, next } = await whole.scan(after);
    yield { items: items.filter(({ pk }) => pk !== keys.migration().pk), next };
    after = next;
  } while (after);
}

async function isEmpty({ whole }: Side): Promise<boolean> {
  for await (const { items } of pagesOf(whole)) if (items.length > 0) return false;
  return true;
}

function isAlive({ ttl }: Item, nowSeconds: number): boolean {
  return ttl === undefined || ttl > nowSeconds;
}

async function positionOf(table: Table): Promise<Position | undefined> {
  const item = await table.get(keys.migration());
  return item && (JSON.parse(item.j) as Position);
}

async function keep({ whole }: Side, position: Position): Promise<Position> {
  const put = { ...keys.migration(), et: 'migration.1', j: JSON.stringify(position) };
  await whole.write([{ put }]);
  return position;
}

function refusal(message: string): BrainError {
  return new BrainError('conflict', message, { operation: OPERATION });
}
