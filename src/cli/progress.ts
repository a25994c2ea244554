/** How far a long command is, told on stderr. */
export interface Progress {
  update(stage: string, done: number, total: number): void;
  /** Takes the bar away. */
  end(): void;
}

interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
const LINE_MS = 3_000;
const BAR_WIDTH = 24;
const WARM_UP_MS = 300; // before that a rate says nothing

export const SILENT: Progress = { update: () => undefined, end: () => undefined };

/** A bar with rate and time left on a terminal; elsewhere a line every few seconds. */
export function progressOn(stream: Terminal, now: () => number = () => performance.now()): Progress {
  let stage = { name: '', startedMs: 0 };
  let toldMs = now();
  let drawn = false;
  const clear = (): void => {
    if (drawn) stream.write('\r\x1b[K');
    drawn = false;
  };
  return {
    update(name, done, total) {
      const nowMs = now();
      if (name !== stage.name) stage = { name, startedMs: nowMs };
      if (nowMs - toldMs < (stream.isTTY ? REDRAW_MS : LINE_MS)) return;
      toldMs = nowMs;
      const line = `${name.padEnd(10)} ${stream.isTTY ? `${bar(done, total)} ` : ''}${figures(done, total, nowMs - stage.startedMs)}`;
      if (!stream.isTTY) {
        stream.write(`${line}\n`);
        return;
      }
      clear();
      stream.write(line.slice(0, (stream.columns ?? 80) - 1));
      drawn = true;
    },
    end: clear,
  };
}

function bar(done: number, total: number): string {
  const full = total === 0 ? BAR_WIDTH : Math.round((Math.min(done, total) / total) * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}

function figures(done: number, total: number, elapsedMs: number): string {
  const count = total === 0 ? String(done) : `${done}/${total}`;
  if (elapsedMs < WARM_UP_MS || done === 0) return count;
  const perMs = done / elapsedMs;
  const rate = `${count}  ${Math.round(perMs * 1000)}/s`;
  return total === 0 ? rate : `${rate}  ${duration((total - done) / perMs)} left`;
}

/** 0.84 s, 12 s, 3 min 20 s. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(ms < 995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
