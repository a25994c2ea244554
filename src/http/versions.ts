/** A version of the API, live or retired. */
export interface ApiVersion {
  readonly number: number;
  /** `deprecated` is still served and says so with every answer; `retired` is answered 410. */
  readonly status: 'current' | 'deprecated' | 'retired';
  /** Dates as yyyy-mm-dd; they mean midnight UTC. */
  readonly released: string;
  readonly deprecated?: string;
  /** From then on it may be retired. */
  readonly sunset?: string;
  /** The number of the version to move to. */
  readonly successor?: number;
  /** The page that tells how to use it, or how to move on from it. */
  readonly docs: string;
}

/**
 * Every version, oldest first: the one table that routing, negotiation, headers and `/api/versions` are driven by.
 * To deprecate or retire one, change its row.
 */
export const VERSIONS: readonly ApiVersion[] = [
  {
    number: 1,
    status: 'deprecated',
    released: '2026-01-15',
    deprecated: '2026-11-01',
    sunset: '2027-11-01',
    successor: 2,
    docs: '/docs/guides/migrate-v1-v2',
  },
  { number: 2, status: 'current', released: '2026-11-01', docs: '/docs' },
];

/** Those that are served; never empty. */
export const supportedOf = (versions: readonly ApiVersion[]): readonly ApiVersion[] =>
  versions.filter(({ status }) => status !== 'retired');

/** What a caller gets who names no version: old clients never named one. */
export const oldestOf = (versions: readonly ApiVersion[]): ApiVersion =>
  supportedOf(versions)[0] as ApiVersion;

export const newestOf = (versions: readonly ApiVersion[]): ApiVersion =>
  supportedOf(versions).at(-1) as ApiVersion;

export const prefixOf = ({ number }: Pick<ApiVersion, 'number'>): string => `/api/v${number}`;

export const mediaTypeOf = ({ number }: Pick<ApiVersion, 'number'>): string =>
  `application/vnd.brain2.v${number}+json`;

export function versionNumbered(number: number | undefined): ApiVersion | undefined {
  return VERSIONS.find((version) => version.number === number);
}
