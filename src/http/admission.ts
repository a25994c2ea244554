import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BrainError } from '../domain/error.ts';
import { accessOf } from './auth/authentication.ts';

/** Whoever is let in is answered after about this time; who would have to wait longer is refused at once. */
const WAIT_MS = 250;
/** Let in at once where nothing has been measured. */
const AT_FIRST = 512;
const FEWEST = 64;
const MOST = 4_096;
const WINDOW_MS = 250;

/**
 * So many requests of one class as are answered within `WAIT_MS`, by the rate at which they were answered while there
 * were more than enough of them (Little's law). A request counts until its answer begins.
 */
export class Gate {
  #inside = 0;
  #limit = AT_FIRST;
  #refused = 0;
  /** Since `#since`. */
  #window = { answered: 0, refused: 0, fewest: 0 };
  #since = 0;

  get inside(): number {
    return this.#inside;
  }

  get limit(): number {
    return this.#limit;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Lets one in, or not. */
  enter(nowMs: number): boolean {
    this.#look(nowMs);
    if (this.#inside >= this.#limit) return false;
    this.#inside += 1;
    return true;
  }

  refuse(): void {
    this.#refused += 1;
    this.#window.refused += 1;
  }

  leave(nowMs: number): void {
    this.#inside -= 1;
    this.#window.answered += 1;
    this.#window.fewest = Math.min(this.#window.fewest, this.#inside);
    this.#look(nowMs);
  }

  #look(nowMs: number): void {
    const elapsedMs = nowMs - this.#since;
    if (elapsedMs < WINDOW_MS) return;
    const { answered, refused, fewest } = this.#window;
    const isBusy = refused > 0 || fewest >= FEWEST / 2;
    if (isBusy && answered > 0) {
      const fitting = Math.round((answered / elapsedMs) * WAIT_MS);
      this.#limit = Math.min(MOST, Math.max(FEWEST, fitting));
    } else if (fewest === 0) this.#limit = Math.max(this.#limit, AT_FIRST);
    this.#window = { answered: 0, refused: 0, fewest: this.#inside };
    this.#since = nowMs;
  }
}

const TICK_MS = 20;
/** A turn of the event loop that keeps a timer waiting for longer is a long one. */
const LONG_MS = 10;
/** One long turn is no overload, nor are a few: so many in a row are, some 300 ms. */
const LONG_TURNS = 10;
/** While turns are long, so much of each is given to a class: reads go before writes. */
const SHARE_MS = { read: 12, write: 6 };
/** Let in each turn, however long it is: a machine that is slow is not one that is asked too much. */
const FEWEST_OF_TURN = 16;

type Class = keyof typeof SHARE_MS;

/**
 * What a request costs by itself, and whoever comes after it waits for, happens in the turn of the event loop that
 * reads it. So where one long turn follows another, each takes in what fits in it, and the rest is refused before it
 * has cost anything: then turns are short again, and nobody waits long for either answer.
 */
export class Turns {
  #longOnes = 0;
  #lastRefusedAt = -Infinity;
  /** Of the turn that is under way. */
  #begunAt: number | undefined;
  #letIn = 0;

  /** A timer came, so late. */
  ticked(lateMs: number, nowMs: number): void {
    if (lateMs >= LONG_MS) this.#longOnes += 1;
    // Who refuses has short turns for it, and more than is done may still come.
    else if (nowMs - this.#lastRefusedAt >= WINDOW_MS) this.#longOnes = 0;
  }

  /** Whether this turn takes in one more. */
  enter(kind: Class, nowMs: number): boolean {
    if (this.#begunAt === undefined) {
      this.#begunAt = nowMs;
      setImmediate(() => (this.#begunAt = undefined));
      this.#letIn = 0;
    }
    const isFull = this.#letIn >= FEWEST_OF_TURN && nowMs - this.#begunAt >= SHARE_MS[kind];
    if (this.#longOnes >= LONG_TURNS && isFull) {
      this.#lastRefusedAt = nowMs;
      return false;
    }
    this.#letIn += 1;
    return true;
  }
}

/** The gates of a process, for whoever counts. */
export type Admission = Readonly<Record<Class, Gate>>;

export const admission = (): Admission => ({ read: new Gate(), write: new Gate() });

declare module 'fastify' {
  interface FastifyRequest {
    /** That it has to leave. */
    gate?: Gate | undefined;
  }
}

/**
 * Above what is served in time, refuses at once (`overloaded`, to be sent again after `Retry-After`) rather than let
 * everybody wait until nobody is answered. Probes are never refused, and reads have a gate of their own, so that no
 * number of writes keeps them out. Requests with limits of their own, such as imports, are refused like others and not
 * counted: they take their turns after all that somebody waits for.
 */
export function useAdmission(app: FastifyInstance, gates = admission()): void {
  const turns = new Turns();
  const stopTicking = ticking(turns);
  const leave = (request: FastifyRequest): void => {
    if (!request.gate) return;
    request.gate.leave(performance.now());
    request.gate = undefined;
  };
  app.decorateRequest('gate', undefined);
  app.addHook('onRequest', (request, _reply, done) => {
    const { config } = request.route;
    if (config.isProbe) return done();
    const kind = classOf(request);
    const gate = gates[kind];
    const nowMs = performance.now();
    if (!turns.enter(kind, nowMs) || !gate.enter(nowMs)) {
      gate.refuse();
      return done(overloaded(kind));
    }
    request.gate = gate;
    if (config.limits) leave(request);
    done();
  });
  app.addHook('onSend', (request, _reply, _payload, done) => {
    leave(request);
    done();
  });
  app.endings.push(leave); // of a caller who went away
  app.addHook('onClose', (_app, done) => {
    stopTicking();
    done();
  });
}

function classOf(request: FastifyRequest): Class {
  const access = accessOf(request);
  return access === 'read' || access === 'open' ? 'read' : 'write';
}

/** Without its stack, which would be most of what it costs and always the same. */
function overloaded(kind: Class): BrainError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const refusal = new BrainError(
    'overloaded',
    `more ${kind}s come in than are done; nothing was done of this one`,
    { operation: 'http.admit' },
  );
  Error.stackTraceLimit = stackTraceLimit;
  return refusal;
}

/** Gives the way to stop. */
function ticking(turns: Turns): () => void {
  let due = performance.now() + TICK_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    turns.ticked(nowMs - due, nowMs);
    due = nowMs + TICK_MS;
  }, TICK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
