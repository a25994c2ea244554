import { BrainError, type ErrorCode } from '../../domain/error.ts';

/** SQLite's primary result codes (the low byte of `errcode`), https://sqlite.org/rescode.html */
const CODES: Readonly<Record<number, { readonly code: ErrorCode; readonly says: string }>> = {
  5: { code: 'unavailable', says: 'the database is busy' },
  6: { code: 'unavailable', says: 'the database is busy' },
  7: { code: 'unavailable', says: 'out of memory' },
  8: { code: 'read_only', says: 'the data folder cannot be written' },
  10: { code: 'unavailable', says: 'the disk failed' },
  11: { code: 'corrupt', says: 'the database file is damaged' },
  13: { code: 'storage_full', says: 'the disk is full; nothing was written' },
  14: { code: 'read_only', says: 'the database file cannot be opened' },
  26: { code: 'corrupt', says: 'the file is not a database' },
};

const IO_ERROR = 10;

/** What SQLite threw, as the table contract names it. */
export function storageError(error: unknown, operation: string): BrainError {
  if (error instanceof BrainError) return error;
  const errcode = (error as { errcode?: unknown }).errcode;
  const primary = typeof errcode === 'number' ? errcode & 0xff : -1;
  const known = CODES[primary];
  const message = error instanceof Error ? error.message : String(error);
  return new BrainError(known?.code ?? 'internal', known ? `${known.says} (${message})` : message, {
    cause: error,
    operation,
    // After a failed sync the kernel may have dropped what it could not write: only a fresh open tells.
    details: { ...(primary === IO_ERROR && { lost: true }) },
  });
}
