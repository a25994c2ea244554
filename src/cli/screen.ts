import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where a command writes: data to stdout, everything else to stderr. */
export interface Screen {
  /** Whether one JSON document is asked for in place of text. */
  readonly json: boolean;
  /** Whether the reader of stdout has gone away, as `head` does when it has enough. */
  readonly closed: boolean;
  /** Writes lines of data to stdout; resolves when they are handed over, so a slow reader slows the command. */
  print(...lines: readonly string[]): Promise<void>;
  /** Writes the one JSON document of `--json`. */
  document(value: unknown): Promise<void>;
  /** Writes text for a person to stderr; nothing with `--json`. */
  tell(...lines: readonly string[]): void;
  /** Colours text for stdout where that is a terminal and colours are welcome. */
  paint(style: Style, text: string): string;
}

export function processScreen(json: boolean): Screen {
  let closed = false;
  // A failed write rejects the promise below; without a listener it would also end the process with a stack.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);

  const write = (text: string): Promise<void> => {
    if (closed) return Promise.resolve();
    const written = Promise.withResolvers<void>();
    process.stdout.write(text, (error) => {
      if (!error) return written.resolve();
      closed = isGone(error);
      if (closed) written.resolve();
      else written.reject(error);
    });
    return written.promise;
  };

  return {
    json,
    get closed() {
      return closed;
    },
    print: (...lines) => (lines.length === 0 ? Promise.resolve() : write(`${lines.join('\n')}\n`)),
    document: (value) => write(`${JSON.stringify(value, undefined, 2)}\n`),
    tell(...lines) {
      if (!json && lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
    },
    paint: (style, text) => styleText(style, text, { stream: process.stdout }),
  };
}

function isGone(error: Error & { readonly code?: string }): boolean {
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
}

// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** A text of a note as a terminal may show it: what would move the cursor or change colours is left out. */
export function harmless(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(CONTROLS, '');
}

/** The same on one line. */
export function oneLine(text: string): string {
  return harmless(text.replace(/\s+/g, ' ')).trim();
}
