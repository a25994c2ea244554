import { BrainError, type ErrorCode } from '../../domain/error.ts';

/** Whether a request that failed is worth another attempt, and whether it may have been carried out all the same. */
export interface Verdict {
  readonly retry: boolean;
  readonly unsure: boolean;
}

/** DynamoDB had no capacity for it, or others were at the item: it was not carried out. */
const TURNED_AWAY: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TransactionConflictException',
  'ReplicatedWriteConflictException',
  // The same, as the reasons of a cancelled transaction.
  'TransactionConflict',
  'ProvisionedThroughputExceeded',
  'ThrottlingError',
]);

/** The request was never sent. */
const NOT_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** What is known of a thrown thing; nothing here is promised of any. */
interface Thrown {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
  readonly CancellationReasons?: readonly { readonly Code?: string; readonly Message?: string }[];
}

const NONE = 'None';
const REFUSED = 'ConditionalCheckFailed';

/** The place, among the operations of a transaction, of the first whose condition did not hold. */
export function refusedAt(error: unknown): number | undefined {
  const at = (error as Thrown).CancellationReasons?.findIndex(({ Code }) => Code === REFUSED) ?? -1;
  return at < 0 ? undefined : at;
}

export function verdictOn(error: unknown): Verdict {
  const { name = '', code, $metadata = {}, CancellationReasons } = error as Thrown;
  if (CancellationReasons) {
    const reasons = CancellationReasons.flatMap(({ Code = NONE }) => (Code === NONE ? [] : [Code]));
    return { retry: reasons.length > 0 && reasons.every((r) => TURNED_AWAY.has(r)), unsure: false };
  }
  if (TURNED_AWAY.has(name)) return { retry: true, unsure: false };
  // An attempt before this one, whose answer was lost, is being carried out.
  if (name === 'TransactionInProgressException') return { retry: true, unsure: true };
  if ($metadata.clockSkewCorrected) return { retry: true, unsure: false };
  const { httpStatusCode } = $metadata;
  if (httpStatusCode !== undefined) {
    // A success that cannot be read, or the service's own failure: what it did is not known.
    const unsure = httpStatusCode >= 500 || httpStatusCode < 300;
    return { retry: unsure, unsure };
  }
  if (typeof code === 'string' && NOT_SENT.has(code)) return { retry: true, unsure: false };
  const noAnswer = name === 'TimeoutError' || name === 'AbortError' || typeof code === 'string';
  return { retry: noAnswer, unsure: noAnswer };
}

const KNOWN: Readonly<Record<string, { readonly code: ErrorCode; readonly says: string }>> = {
  ResourceNotFoundException: {
    code: 'unavailable',
    says: 'there is no such table; `brain2 table create` makes it',
  },
  AccessDeniedException: { code: 'unavailable', says: 'AWS does not allow it' },
  UnrecognizedClientException: { code: 'unavailable', says: 'AWS does not know the credentials' },
  InvalidSignatureException: { code: 'unavailable', says: 'AWS does not accept the credentials' },
  ExpiredTokenException: { code: 'unavailable', says: 'the AWS credentials are too old' },
  CredentialsProviderError: { code: 'unavailable', says: 'no AWS credentials were found' },
  ItemCollectionSizeLimitExceededException: { code: 'storage_full', says: 'a partition is full' },
  ValidationException: { code: 'internal', says: 'DynamoDB does not take the request' },
  IdempotentParameterMismatchException: {
    code: 'internal',
    says: 'one token was used for two transactions',
  },
};

/** What DynamoDB or the way to it threw, as the table contract names it. */
export function dynamoError(error: unknown, operation: string): BrainError {
  if (error instanceof BrainError) return error;
  const { name = '', message = String(error), CancellationReasons } = error as Thrown;
  const known = KNOWN[name];
  if (known) return new BrainError(known.code, `${known.says} (${message})`, { cause: error, operation });
  const reason = CancellationReasons?.find(({ Code = NONE }) => Code !== NONE);
  const code = verdictOn(error).retry ? 'unavailable' : 'internal';
  return new BrainError(code, reason?.Message ?? `DynamoDB: ${message || name}`, { cause: error, operation });
}
