import type { ErrorCode } from '../domain/error.ts';

/** A command that cannot do what was asked, in words for the person who asked. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: ErrorCode;
  /** More lines for a person: candidates, a fix. */
  readonly hints: readonly string[];
  /** The same for a program. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      readonly hints?: readonly string[];
      readonly details?: Readonly<Record<string, unknown>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.hints = more.hints ?? [];
    this.details = more.details ?? {};
  }
}
