/** An error as it stands in the log. */
export interface DescribedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly operation?: string;
  readonly timestamp?: string;
  /** Where it was thrown, without the message. */
  readonly stack?: readonly string[];
  readonly cause?: DescribedError;
  /** Of an AggregateError. */
  readonly errors?: readonly DescribedError[];
}

const MOST_CAUSES = 5;
const MOST_ERRORS = 5;
const MOST_FRAMES = 20;
const MOST_CHARACTERS = 500;

/**
 * What of a thrown thing may be told: its kind, message, place and causes, and no other property of it, for these hold
 * requests and texts. Takes anything, also what throws when it is read, and never throws itself.
 */
export function describeError(thrown: unknown, causesLeft = MOST_CAUSES): DescribedError {
  const code = text(read(thrown, 'code'));
  const operation = text(read(thrown, 'operation'));
  const timestamp = text(read(thrown, 'timestamp'));
  const stack = framesOf(thrown);
  const cause = causesLeft > 0 ? read(thrown, 'cause') : undefined;
  const errors = causesLeft > 0 ? read(thrown, 'errors') : undefined;
  return {
    type: kindOf(thrown),
    message: messageOf(thrown),
    ...(code !== undefined && { code }),
    ...(operation !== undefined && { operation }),
    ...(timestamp !== undefined && { timestamp }),
    ...(stack.length > 0 && { stack }),
    ...(cause !== undefined && { cause: describeError(cause, causesLeft - 1) }),
    ...(isArray(errors) && { errors: describeAll(errors, causesLeft - 1) }),
  };
}

/**
 * The message of anything that was thrown. What it quotes is left out: parsers and checks of arguments quote what they
 * were given. So is a bare string, which may be anything.
 */
function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return `a text of ${thrown.length} characters was thrown`;
  if (!isObject(thrown)) return String(thrown);
  const message = read(thrown, 'message');
  if (typeof message !== 'string') return 'no message';
  const told = message.replace(/"[^]*"|`[^]*`|(?<!\w)'[^]*'/g, '…');
  return told.length > MOST_CHARACTERS ? `${told.slice(0, MOST_CHARACTERS).toWellFormed()}…` : told;
}

/** A property, or undefined where it cannot be read. */
export function read(thrown: unknown, name: string): unknown {
  try {
    return isObject(thrown) ? (thrown as Readonly<Record<string, unknown>>)[name] : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false; // a revoked proxy
  }
}

function describeAll(errors: readonly unknown[], causesLeft: number): readonly DescribedError[] {
  const described: DescribedError[] = [];
  try {
    for (const error of errors.slice(0, MOST_ERRORS)) described.push(describeError(error, causesLeft));
  } catch {
    // what could be read is told
  }
  return described;
}

function kindOf(thrown: unknown): string {
  const name = read(thrown, 'name');
  if (typeof name === 'string' && name !== '') return name.slice(0, 100);
  return thrown === null ? 'null' : typeof thrown;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 100) : undefined;
}

/** The lines of the stack that name a place, and none of the message that stands before them. */
function framesOf(thrown: unknown): readonly string[] {
  const stack = read(thrown, 'stack');
  const message = read(thrown, 'message');
  if (typeof stack !== 'string' || typeof message !== 'string') return [];
  const end = stack.indexOf(message);
  const frames = stack
    .slice(end < 0 ? 0 : end + message.length)
    .split('\n')
    .filter((line) => /^ {4}at /.test(line));
  return frames.slice(0, MOST_FRAMES).map((line) => line.trim().slice(0, MOST_CHARACTERS));
}
