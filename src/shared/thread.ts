import { Worker, type Transferable } from 'node:worker_threads';

/** Sent in the place of a request to end the thread. */
export const END = 'end';

export interface ThreadRequest<Request> {
  readonly id: number;
  readonly request: Request;
  /** Whether it waits for all that is not to wait, also of what comes after it. */
  readonly yields?: boolean | undefined;
}

/** What a thread sends back: the number of the request, and its answer or what was thrown over it. */
export type ThreadAnswer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly thrown: unknown };

interface Awaited {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

export interface CallOptions {
  /** Memory that goes over without a copy. */
  readonly transfer?: readonly Transferable[];
  readonly yields?: ThreadRequest<never>['yields'];
}

/** A thread's young objects: what it is sent and answers is soon forgotten, and three such heaps add up. */
const YOUNG_GENERATION_MB = 24;

/**
 * A worker thread that answers requests in the order of their coming, those that yield after all others. It keeps the
 * process alive while it owes an answer, and no longer. When it dies, what it owed is rejected, and so is all that
 * comes after.
 */
export class Thread<Request> {
  readonly #worker: Worker;
  readonly #awaited = new Map<number, Awaited>();
  /** Asked in this turn of the event loop: it goes over in one message, for each wakes the other side. */
  #outbox: ThreadRequest<Request>[] = [];
  #transfer: Transferable[] = [];
  #lastId = 0;
  #dead: Error | undefined;
  readonly #ended: Promise<Error>;

  /** `entry` is a module that calls `answerRequests`; `data` is its `workerData`. */
  constructor(entry: URL, data: unknown) {
    const name = entry.pathname.replace(/^.*\//, '').replace(/-entry\.\w+$/, '');
    this.#worker = new Worker(entry, {
      workerData: data,
      name,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.unref();
    this.#worker.on('message', (answers: readonly ThreadAnswer[]) => {
      for (const answer of answers) this.#settle(answer);
    });
    this.#worker.on('error', (error) => this.#die(error instanceof Error ? error : new Error(String(error))));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#die(new Error('the thread has ended'));
        resolve(this.#dead!);
      });
    });
  }

  get isAlive(): boolean {
    return this.#dead === undefined;
  }

  /** Requests that are not answered yet. */
  get owed(): number {
    return this.#awaited.size;
  }

  call<Answer>(request: Request, { transfer = [], yields }: CallOptions = {}): Promise<Answer> {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = ++this.#lastId;
    return new Promise<Answer>((resolve, reject) => {
      if (this.#awaited.size === 0) this.#worker.ref();
      this.#awaited.set(id, { resolve, reject });
      this.#transfer.push(...transfer);
      // After all that the work under way still asks before it waits.
      if (this.#outbox.push({ id, request, yields }) === 1) process.nextTick(() => this.#send());
    });
  }

  /** Runs `tell` with the reason when the thread is gone, however that came about. */
  onEnd(tell: (reason: Error) => void): void {
    void this.#ended.then(tell);
  }

  /** Asks the thread to end once everything before is answered, and waits for it. */
  async end(): Promise<void> {
    if (!this.#dead) {
      this.#worker.ref();
      this.#send();
      this.#worker.postMessage(END, []);
    }
    await this.#ended;
  }

  #send(): void {
    if (this.#outbox.length > 0) this.#worker.postMessage(this.#outbox, this.#transfer);
    this.#outbox = [];
    this.#transfer = [];
  }

  #settle(message: ThreadAnswer): void {
    const awaited = this.#awaited.get(message.id);
    this.#awaited.delete(message.id);
    if (this.#awaited.size === 0) this.#worker.unref();
    if ('thrown' in message) awaited?.reject(message.thrown);
    else awaited?.resolve(message.answer as never);
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const { reject } of this.#awaited.values()) reject(this.#dead);
    this.#awaited.clear();
  }
}

/** The module of a thread, beside the one that asks: as source in a clone, built in a package. */
export function threadModule(name: string, beside: string): URL {
  return new URL(`./${name}${beside.endsWith('.ts') ? '.ts' : '.js'}`, beside);
}
