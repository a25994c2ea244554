import { RetentionDays } from 'aws-cdk-lib/aws-logs';

/** Who may use the API of a stage: as `BRAIN2_AUTH` on a server, but that nobody is let in unasked. */
export type Auth =
  | { readonly kind: 'token' }
  | {
      readonly kind: 'jwt';
      readonly issuer: string;
      readonly audience: string;
      readonly jwksUrl: string;
    };

/** All in which two stages of one account may differ; `cdk.json` has them by name under `stages`. */
export interface Stage {
  /** Part of every name that must be unique in an account: 1 to 16 of `a-z`, `0-9` and `-`. */
  readonly name: string;
  readonly auth: Auth;
  /** Table and buckets outlive their stack, and the table cannot be deleted. */
  readonly isProtected: boolean;
  /** How long logs are kept. */
  readonly logDays: RetentionDays;
  /** Where alarms are sent to; without it they only stand on the dashboard. */
  readonly alarmEmail?: string;
  /** A name of one's own, with a certificate of us-east-1. Its DNS record is made by hand. */
  readonly domain?: { readonly name: string; readonly certificateArn: string };
  /**
   * Lets upkeep and heartbeat run once at a time. Of an account's concurrency it takes two; a new account, which has
   * ten, refuses that. Both are right without it.
   */
  readonly reservesConcurrency?: boolean;
  /** Write units a second that the table takes at most: a bound on what it costs. */
  readonly mostWriteUnits?: number;
  /** Requests a second that each API takes; 500. */
  readonly requestsPerSecond?: number;
  /** `BRAIN2_SOCKETS_PER_OWNER`: sockets that one owner may have; 10. */
  readonly socketsPerOwner?: number;
}

const FIELDS: ReadonlySet<string> = new Set([
  'auth',
  'isProtected',
  'logDays',
  'alarmEmail',
  'domain',
  'reservesConcurrency',
  'mostWriteUnits',
  'requestsPerSecond',
  'socketsPerOwner',
] satisfies (keyof Stage)[]);

/** The stages of `cdk.json`. Throws an error that names every mistake. */
export function readStages(given: unknown): readonly Stage[] {
  const stages = Object.entries((given ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>);
  const mistakes = stages.flatMap(([name, fields]) =>
    mistakesOf(name, fields).map((mistake) => `${name}: ${mistake}`),
  );
  if (stages.length === 0) mistakes.push('cdk.json names no stage under context.stages');
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
  return stages.map(([name, fields]) => ({ ...(fields as unknown as Stage), name }));
}

function mistakesOf(name: string, fields: Readonly<Record<string, unknown>>): string[] {
  const { auth, isProtected, logDays, socketsPerOwner = 1 } = fields as Partial<Stage>;
  const mistakes = Object.keys(fields)
    .filter((field) => !FIELDS.has(field))
    .map((field) => `there is no field ${field}`);
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(name)) {
    mistakes.push('a name is 1 to 16 of a-z, 0-9 and -, and begins with a letter');
  }
  if (auth?.kind === 'jwt') {
    for (const field of ['issuer', 'audience', 'jwksUrl'] as const) {
      if (!auth[field]) mistakes.push(`auth.${field} is missing`);
    }
  } else if (auth?.kind !== 'token') mistakes.push('auth.kind is token or jwt');
  if (typeof isProtected !== 'boolean') mistakes.push('isProtected is true or false');
  if (typeof logDays !== 'number' || RetentionDays[logDays] === undefined) {
    mistakes.push('logDays is one of those that CloudWatch has: 7, 14, 30, 90, 365, …');
  }
  if (!Number.isInteger(socketsPerOwner) || socketsPerOwner < 1) {
    mistakes.push('socketsPerOwner is a whole number, at least 1');
  }
  return mistakes;
}
