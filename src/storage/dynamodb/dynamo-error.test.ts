import { expect, test } from 'vitest';
import { BrainError } from '../../domain/error.ts';
import { dynamoError, refusedAt, verdictOn } from './dynamo-error.ts';

const thrown = (facts: object, message = 'as AWS says it'): Error =>
  Object.assign(new Error(message), { $metadata: { httpStatusCode: 400 } }, facts);
const cancelled = (...codes: readonly string[]): Error =>
  thrown({ name: 'TransactionCanceledException', CancellationReasons: codes.map((Code) => ({ Code })) });

test('[ST60] what was turned away is tried again, and was surely not done', () => {
  for (const name of [
    'ThrottlingException',
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
  ]) {
    expect(verdictOn(thrown({ name }))).toEqual({ retry: true, unsure: false });
  }
  expect(verdictOn(Object.assign(new Error(), { code: 'ECONNREFUSED' }))).toEqual({
    retry: true,
    unsure: false,
  });
});

test('[ST60 ST63] what was not answered, or answered as a failure of the service, may have been done', () => {
  for (const facts of [
    { $metadata: { httpStatusCode: 500 } },
    { $metadata: { httpStatusCode: 503 } },
    { $metadata: { httpStatusCode: 200 } }, // an answer that could not be read
    { name: 'TransactionInProgressException' },
    { name: 'TimeoutError', $metadata: {} },
    { code: 'ECONNRESET', $metadata: {} },
  ]) {
    expect(verdictOn(thrown(facts))).toEqual({ retry: true, unsure: true });
  }
});

test('[ST60] what would be refused again is not tried again', () => {
  const names = [
    'ValidationException',
    'AccessDeniedException',
    'ResourceNotFoundException',
    'ExpiredTokenException',
  ];
  for (const name of names) expect(verdictOn(thrown({ name }))).toEqual({ retry: false, unsure: false });
  expect(verdictOn(new TypeError('a bug'))).toEqual({ retry: false, unsure: false });
});

test('[ST64] of a cancelled transaction the first condition that failed counts, before any conflict', () => {
  expect(refusedAt(cancelled('None', 'TransactionConflict', 'ConditionalCheckFailed'))).toBe(2);
  expect(refusedAt(cancelled('None', 'TransactionConflict'))).toBeUndefined();
  expect(verdictOn(cancelled('None', 'TransactionConflict', 'ThrottlingError')).retry).toBe(true);
  expect(verdictOn(cancelled('TransactionConflict', 'ValidationError')).retry).toBe(false);
  expect(verdictOn(cancelled('None')).retry).toBe(false);
});

test('[ST60] each failure has a code of ours, its words and its cause', () => {
  const codes = {
    AccessDeniedException: 'unavailable',
    CredentialsProviderError: 'unavailable',
    ResourceNotFoundException: 'unavailable',
    ValidationException: 'internal',
    IdempotentParameterMismatchException: 'internal',
    ThrottlingException: 'unavailable',
    SomethingNew: 'internal',
  };
  for (const [name, code] of Object.entries(codes)) {
    const cause = thrown({ name });
    const error = dynamoError(cause, 'table.get');
    expect(error).toMatchObject({ code, cause, operation: 'table.get' });
    expect(error.message).toContain('as AWS says it');
  }
  const ours = new BrainError('corrupt', 'it is');
  expect(dynamoError(ours, 'table.get')).toBe(ours);
});
