/** One link a person wrote, resolved to a note of the same vault. */
export interface VaultLink {
  /** `key` of the note that the link leads to. */
  readonly target: string;
  /** What a reader of the note sees: the label, or the name of the target. */
  readonly text: string;
}

export interface VaultNote {
  /** Stable across imports: the path with `/` in NFC for Markdown, `id` for a record, `brain2_key` where an export wrote it. */
  readonly key: string;
  readonly path?: string;
  /** One line, never empty. */
  readonly title: string;
  /** Markdown without frontmatter, LF line ends, no byte order mark; otherwise as the author wrote it. May be empty. */
  readonly content: string;
  readonly aliases: readonly string[];
  /** Without `#`, in order of appearance, each once whatever its case. */
  readonly tags: readonly string[];
  /** RFC 3339, UTC. */
  readonly createdAt?: string;
  readonly updatedAt?: string;
  /** Titles from the top category down, one to three of them. */
  readonly category?: readonly string[];
  /** One for each target, in order of appearance; never to the note itself. */
  readonly links: readonly VaultLink[];
}

export type VaultProblemCode =
  | 'binary'
  | 'invalid_utf8'
  | 'too_large'
  | 'unreadable'
  | 'symlink_loop'
  | 'broken_frontmatter'
  | 'drawing'
  | 'invalid_json'
  | 'invalid_note'
  | 'duplicate_id'
  | 'broken_link';

/** An `error` kept a note (or a folder) out; a `warning` did not. */
export interface VaultProblem {
  readonly path: string;
  /** Counted from 1 in the file as it stands on disk. */
  readonly line?: number;
  readonly code: VaultProblemCode;
  readonly message: string;
  readonly severity: 'error' | 'warning';
  /** Of a broken link: the target as it was written. */
  readonly target?: string;
}

interface VaultStats {
  /** Note files found, or 1 for a file of records. */
  readonly files: number;
  /** Bytes read. */
  readonly bytes: number;
  readonly notes: number;
  /** Resolved links, one for each pair of note and target. */
  readonly links: number;
  /** One for each pair of note and missing target. */
  readonly brokenLinks: number;
  readonly errors: number;
  readonly warnings: number;
}

export interface Vault {
  readonly notes: VaultNote[];
  readonly problems: readonly VaultProblem[];
  readonly stats: VaultStats;
}

export type CategorySource = 'folders' | 'frontmatter' | 'none';

export interface VaultOptions {
  readonly categories: CategorySource;
  /** A note of more bytes than this is a `too_large` error and is not read. */
  readonly maxNoteBytes: number;
  /** Of one file of Markdown: the folder above it that its path is in; by default the one it lies in. */
  readonly root?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each file (of a file of records: after each chunk, in bytes). */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * `not_found`: nothing at the path. `unsupported`: neither a folder nor a known kind of file. `unreadable`: no access.
 * `invalid`: a zip that is damaged, or made to do harm.
 */
export type VaultErrorCode = 'not_found' | 'unsupported' | 'unreadable' | 'invalid';

/** The vault as a whole cannot be read. What concerns one file of it is a `VaultProblem` instead. */
export class VaultError extends Error {
  readonly code: VaultErrorCode;

  constructor(code: VaultErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VaultError';
    this.code = code;
  }
}
