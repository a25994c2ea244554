import { randomFillSync } from 'node:crypto';

/** W3C Trace Context, https://www.w3.org/TR/trace-context/: what a caller tells of the trace that its request is in. */
export interface TraceParent {
  readonly traceId: string;
  /** The caller's own span. */
  readonly parentId: string;
  readonly isSampled: boolean;
}

const FIELDS = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 0x01;

/**
 * Reads `traceparent` as the Recommendation has it (3.2.2 and 4.3): lower case only, no ids of zeros alone, never
 * version `ff`, and nothing after the flags but in a version to come. Anything else is as if it were not there.
 */
export function parseTraceParent(header: string | undefined): TraceParent | undefined {
  const [, version, traceId = NO_TRACE, parentId = NO_SPAN, flags = '', rest] =
    FIELDS.exec(header ?? '') ?? [];
  if (version === undefined || version === 'ff') return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  if (traceId === NO_TRACE || parentId === NO_SPAN) return undefined;
  return { traceId, parentId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** `traceparent` for a call made within this span; `traceresponse` for the answer has the same form. */
export function formatTraceParent(of: {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}): string {
  return `00-${of.traceId}-${of.spanId}-${of.isSampled ? '01' : '00'}`;
}

const MEMBER =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MOST_MEMBERS = 32;
/** Vendors are to pass on at least this much; a longer one is dropped whole, as the Recommendation allows. */
const MOST_CHARACTERS = 512;

/** `tracestate` as it is to be passed on, or undefined where it is not valid (3.3.1). */
export function parseTraceState(header: string | undefined): string | undefined {
  if (header === undefined || header.length > MOST_CHARACTERS) return undefined;
  const members = header
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf('='))));
  const isValid = members.every((member) => MEMBER.test(member)) && keys.size === members.length;
  return isValid && members.length > 0 && members.length <= MOST_MEMBERS ? members.join(',') : undefined;
}

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
/** One call to the system's randomness serves many ids. */
const random = Buffer.alloc(TRACE_BYTES * 128);
let digits = '';
let used = 0;

function randomHex(bytes: number): string {
  const end = used + bytes * 2;
  if (end > digits.length) {
    digits = randomFillSync(random).toString('hex');
    used = 0;
    return randomHex(bytes);
  }
  const hex = digits.slice(used, end);
  used = end;
  return hex;
}

export function randomTraceId(): string {
  return randomHex(TRACE_BYTES);
}

export function randomSpanId(): string {
  return randomHex(SPAN_BYTES);
}
