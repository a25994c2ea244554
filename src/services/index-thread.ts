import type { Explanation, LinkableNote, Related, SearchHit, SearchOptions } from '../linking/link-index.ts';
import { BrainError } from '../domain/error.ts';
import type { NodeId } from '../domain/values.ts';
import { Thread, threadModule, type CallOptions } from '../shared/thread.ts';
import type { IndexCall, IndexCalls, IndexMethod } from './index-calls.ts';
import { IndexWork } from './index-work.ts';
import { unpackLinks, type Wanted } from './wanted.ts';

/** Notes whose links are asked for in one call: others' questions wait behind one, about 5 ms. */
const LINKS_A_CALL = 16;
/** Of a long list of notes so many calls are under way at once: while the thread is quicker, it goes ahead. */
const CALLS_AHEAD = 8;
/** Notes on their way to the thread: what is asked of it waits for them, about 10 ms. */
const MOST_BEHIND = 128;

/** What carries out the calls of indexes, each in the order in which they are made. */
type Worker = Pick<Thread<IndexCall>, 'call' | 'onEnd' | 'end'>;

/**
 * The thread of all indexes: linking and searching take milliseconds each, in which requests are served here. It is
 * started by the first index; if it dies, the indexes in it are lost, and opened anew.
 */
export class IndexThread {
  readonly #startWorker: () => Worker;
  #thread: Worker | undefined;
  #lastIndex = 0;

  constructor(startWorker: () => Worker = startThread) {
    this.#startWorker = startWorker;
  }

  /**
   * Opens an index from the bytes of a snapshot, whose memory goes over to the thread, or an empty one. Throws a plain
   * `Error` on damaged bytes.
   */
  async open(bytes?: Uint8Array): Promise<NoteIndex> {
    const thread = (this.#thread ??= this.#start());
    const number = ++this.#lastIndex;
    const call: Call = async (method, args, { yields } = {}) => {
      const transfer = args.flatMap((arg) => (arg instanceof Uint8Array ? [arg.buffer as ArrayBuffer] : []));
      const request: IndexCall = { index: number, method, args };
      const answer = await thread.call<ReturnType<IndexCalls[typeof method]> | Error>(request, {
        transfer,
        yields,
      });
      if (answer instanceof Error) throw answer;
      return answer;
    };
    return new NoteIndex(call, await call('open', [bytes]));
  }

  async close(): Promise<void> {
    await this.#thread?.end();
  }

  #start(): Worker {
    const thread = this.#startWorker();
    thread.onEnd(() => {
      if (this.#thread === thread) this.#thread = undefined;
    });
    return thread;
  }
}

function startThread(): Worker {
  return new Thread<IndexCall>(threadModule('index-entry', import.meta.url), undefined);
}

/** For a process that serves one request at a time: a thread would only have to be started, and be waited for. */
export function indexInProcess(): Worker {
  const work = new IndexWork();
  return {
    call: async <Answer>(request: IndexCall) => work.answer(request) as Answer,
    onEnd: () => {}, // it ends with the process
    end: async () => work.clear(),
  };
}

/** The links that a note keeps as it was at `version`; if it has another by now, as it was since. */
export interface IndexedLinks {
  readonly id: NodeId;
  readonly version: number | undefined;
  readonly links: readonly Wanted[];
}

type Call = <M extends IndexMethod>(
  method: M,
  args: Parameters<IndexCalls[M]>,
  options?: Pick<CallOptions, 'yields'>,
) => Promise<ReturnType<IndexCalls[M]>>;

/**
 * The index of one owner: which notes it holds is known here, what they say in the thread. Calls are carried out in
 * the order in which they are made, but for `links` of many notes, which lets all others go first.
 */
export class NoteIndex {
  readonly #call: Call;
  readonly #versions: Map<string, number>;
  /** Changes that the thread has not made yet. */
  #behind = 0;
  #lastChange: Promise<void> = Promise.resolve();
  #lost: unknown;

  constructor(call: Call, notes: Iterable<readonly [id: string, version: number]>) {
    this.#call = call;
    this.#versions = new Map(notes);
  }

  get size(): number {
    return this.#versions.size;
  }

  /** Whether a change of it failed, so that it no longer holds what it should. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  has(id: string): boolean {
    return this.#versions.has(id);
  }

  versionOf(id: string): number | undefined {
    return this.#versions.get(id);
  }

  ids(): Iterable<string> {
    return this.#versions.keys();
  }

  /** Resolves when the thread is not far behind: what it is to take waits in memory. */
  async keepUp(): Promise<void> {
    if (this.#behind > MOST_BEHIND) await this.#lastChange;
  }

  /** Adds a note, or replaces the one of its id, for all calls that follow. */
  put(note: LinkableNote): void {
    this.#versions.set(note.id, note.version);
    this.#change('put', [note]);
  }

  remove(id: string): void {
    if (this.#versions.delete(id)) this.#change('remove', [id]);
  }

  /** See `LinkIndex.settleSome`. */
  async settle({ exact = true } = {}): Promise<void> {
    while (!(await this.#ask('settle', [{ exact }])));
  }

  /** The links that each note keeps, in the order of the ids; none for one that is not there. */
  async *links(ids: readonly NodeId[]): AsyncGenerator<IndexedLinks> {
    const asked: Promise<readonly IndexedLinks[]>[] = [];
    for (let next = 0; next < ids.length || asked.length > 0;) {
      while (next < ids.length && asked.length < CALLS_AHEAD) {
        const answer = this.#linksOfAll(ids.slice(next, (next += LINKS_A_CALL)));
        answer.catch(() => {}); // looked at below, in its turn
        asked.push(answer);
      }
      yield* await (asked.shift() as Promise<readonly IndexedLinks[]>);
    }
  }

  async linksOf(id: NodeId): Promise<readonly Wanted[]> {
    return unpackLinks(await this.#ask('links', [[id]]))[0] ?? [];
  }

  async #linksOfAll(ids: readonly NodeId[]): Promise<readonly IndexedLinks[]> {
    const versions = ids.map((id) => this.versionOf(id));
    const answers = unpackLinks(await this.#ask('links', [ids], { yields: true }));
    return ids.map((id, at) => ({ id, version: versions[at], links: answers[at] ?? [] }));
  }

  related(id: string, limit: number): Promise<readonly Related[]> {
    return this.#ask('related', [id, limit]);
  }

  /** The ranking for a note that is not stored, or not as it is now. */
  preview(note: LinkableNote, limit: number): Promise<readonly Related[]> {
    return this.#ask('preview', [note, limit]);
  }

  /** What of that ranking the note would keep as links. */
  previewLinks(note: LinkableNote, limit: number): Promise<readonly Related[]> {
    return this.#ask('previewLinks', [note, limit]);
  }

  fingerprint(note: LinkableNote): Promise<string> {
    return this.#ask('fingerprint', [note]);
  }

  explain(a: LinkableNote, b: LinkableNote): Promise<Explanation> {
    return this.#ask('explain', [a, b]);
  }

  search(query: string, options: SearchOptions = {}): Promise<readonly SearchHit[]> {
    return this.#ask('search', [query, options]);
  }

  serialize(): Promise<Uint8Array> {
    return this.#ask('serialize', []);
  }

  close(): Promise<void> {
    return this.#ask('close', []);
  }

  #change<M extends IndexMethod>(method: M, args: Parameters<IndexCalls[M]>): void {
    this.#behind += 1;
    this.#lastChange = this.#call(method, args).then(
      () => void (this.#behind -= 1),
      (error: unknown) => void (this.#lost ??= error),
    );
  }

  async #ask<M extends IndexMethod>(
    method: M,
    args: Parameters<IndexCalls[M]>,
    options?: Parameters<Call>[2],
  ): Promise<ReturnType<IndexCalls[M]>> {
    try {
      return await this.#call(method, args, options);
    } catch (cause) {
      this.#lost ??= cause;
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new BrainError('internal', `the index failed: ${message}`, {
        cause,
        operation: `index.${method}`,
      });
    }
  }
}
