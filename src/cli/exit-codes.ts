import type { ErrorCode } from '../domain/error.ts';

/** What the process ends with; the numbers are documented in `docs/cli.md` and never change. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notFound: 3, conflict: 4, partial: 5 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const OF_ERROR: { readonly [C in ErrorCode]?: ExitCode } = {
  invalid: EXIT.usage,
  malformed: EXIT.usage,
  not_found: EXIT.notFound,
  conflict: EXIT.conflict,
  stale: EXIT.conflict,
  locked: EXIT.conflict,
};

/** The exit code of an error code, which may be one that a newer server made up. */
export function exitOf(code: string): ExitCode {
  return OF_ERROR[code as ErrorCode] ?? EXIT.failed;
}
