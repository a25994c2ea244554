import { CommanderError } from 'commander';
import { ApiError } from '../client/http-client.ts';
import { BrainError } from '../domain/error.ts';
import { VaultError } from '../vault/types.ts';
import { CliError } from './cli-error.ts';
import { EXIT, exitOf, type ExitCode } from './exit-codes.ts';

/** A failed command, for a person or for a program. */
interface Failure {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly message: string }[];
  readonly correlationId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly hints?: readonly string[];
  /** Of a bug: where it is. */
  readonly stack?: string;
}

/** Tells on stderr what went wrong, with `--json` as `{"error": …}`, and gives the exit code. */
export function reportError(error: unknown, json: boolean): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok; // --help and --version come as errors too
    // Commander has told a person already.
    const isHelp = error.code === 'commander.help';
    const detail = isHelp ? 'a command is needed; --help lists them' : error.message.replace(/^error: /, '');
    if (json) process.stderr.write(`${JSON.stringify({ error: { code: 'usage', detail } })}\n`);
    return EXIT.usage;
  }
  const { hints = [], stack, ...failure } = failureOf(error);
  if (json) process.stderr.write(`${JSON.stringify({ error: failure })}\n`);
  else
    process.stderr.write(
      `${[`brain2: ${failure.detail}`, ...hints, ...(stack ? [stack] : [])].join('\n')}\n`,
    );
  return exitOf(failure.code);
}

function failureOf(error: unknown): Failure {
  if (error instanceof CliError) {
    const { code, message, hints, details } = error;
    return { code, detail: message, hints, ...(Object.keys(details).length > 0 && { details }) };
  }
  if (error instanceof ApiError) {
    const { code, detail, errors, correlationId, details } = error.problem;
    return {
      code,
      detail,
      ...(errors && { errors }),
      ...(correlationId && { correlationId }),
      ...(details && { details }),
      ...(code === 'unauthenticated' && {
        hints: ['Set BRAIN2_TOKEN, or give --token; `brain2 token create` makes one.'],
      }),
      ...(code === 'internal' && { hints: [`correlation id: ${correlationId}`] }),
    };
  }
  if (error instanceof BrainError && error.code !== 'internal') {
    const { code, message, issues, details } = error;
    return {
      code,
      detail: message,
      ...(issues.length > 0 && { errors: issues }),
      ...(Object.keys(details).length > 0 && { details }),
    };
  }
  if (error instanceof VaultError) {
    return { code: error.code, detail: error.message };
  }
  return unexpected(error);
}

/** What a connection ends with when its server goes away. */
const GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

/** A server that went away in the middle, a system call that was refused, or a bug. */
function unexpected(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'internal', detail: String(error) };
  const code = 'code' in error ? String(error.code) : '';
  if (GONE.has(code))
    return { code: 'unavailable', detail: `the running server stopped answering: ${error.message}` };
  if ('syscall' in error) return { code: 'failed', detail: error.message };
  return {
    code: 'internal',
    detail: `this is a bug: ${error.message}`,
    ...(error.stack !== undefined && { stack: error.stack }),
  };
}
