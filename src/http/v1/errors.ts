import type { Problem } from '../../api/common.ts';
import type { ErrorBody } from '../../api/v1.ts';
import type { ErrorCode } from '../../domain/error.ts';

/** v1 knows neither 412 nor 422. */
const STATUS: { readonly [C in ErrorCode]?: number } = { invalid: 400, stale: 409 };

/** A failure as `{error: message}`. */
export function presentV1Error({ code, status, detail }: Problem) {
  const body: ErrorBody = { error: detail };
  return {
    status: STATUS[code as ErrorCode] ?? status,
    contentType: 'application/json; charset=utf-8',
    body,
  };
}
