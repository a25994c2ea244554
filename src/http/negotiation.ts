import { BrainError, type ErrorCode } from '../domain/error.ts';
import {
  mediaTypeOf,
  newestOf,
  oldestOf,
  prefixOf,
  supportedOf,
  VERSIONS,
  type ApiVersion,
} from './versions.ts';

/** Which version a request is for. */
export type Negotiated =
  /** Of no version: health, the list of versions, what is not there. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'version';
      readonly version: ApiVersion;
      /** The address of it in that version. */
      readonly url: string;
      /** Whether `Accept` asked for it: then the answer's Content-Type names it. */
      readonly isNamed: boolean;
    }
  | { readonly kind: 'refused'; readonly error: BrainError };

/** What `Accept` says of versions; of the best quality first. */
interface Accepted {
  readonly named: readonly number[];
  /** A version that is none, as it was written. */
  readonly malformed?: string;
  /** Whether any JSON will do as well. */
  readonly anyJson: boolean;
}

const NONE: Negotiated = { kind: 'none' };
const API = '/api/';
/** Told of the versions, and so of none of them. */
const LIST = '/api/versions';
const NUMBER = /^(?:0|[1-9]\d*)$/;
/** What was meant as a version: `v` and not the beginning of a word. */
const VERSION_LIKE = /^v(?![a-z])/i;
const VENDOR = 'application/vnd.brain2';
const ABOUT_US = /vnd\.brain2/i;
const ANYTHING: Accepted = { named: [], anyJson: true };
const VENDOR_VERSION = /^application\/vnd\.brain2\.v(.+)\+json$/;
const ANY_JSON: ReadonlySet<string> = new Set(['*/*', 'application/*', 'application/json']);
const MAX_QUOTED = 50;

/**
 * Decides for which version a request is, from its address and its `Accept`. An address without a version is that of
 * the one that `Accept` names, and of the oldest that is served where it names none.
 */
export function negotiate(
  url: string,
  accept: string | undefined,
  versions: readonly ApiVersion[] = VERSIONS,
): Negotiated {
  if (!url.startsWith(API)) return NONE;
  if (!isAboutUs(accept)) {
    // As almost every request is.
    for (const version of versions) {
      if (version.status !== 'retired' && url.startsWith(`${prefixOf(version)}/`))
        return { kind: 'version', version, url, isNamed: false };
    }
  }
  const path = url.split('?', 1)[0] ?? '';
  if (path === LIST) return NONE;
  const accepted = acceptedOf(accept);
  if (accepted.malformed !== undefined) return malformed(`"${accepted.malformed}" in Accept`);
  const [segment = ''] = path.slice(API.length).split('/', 1);
  if (!VERSION_LIKE.test(segment)) return ofAccept(url, accepted, versions);
  if (!segment.startsWith('v') || !NUMBER.test(segment.slice(1)))
    return malformed(`"${segment.slice(0, MAX_QUOTED)}" in the path`);
  const rest = path.slice(API.length + segment.length);
  return ofPath(url, { number: Number(segment.slice(1)), rest }, accepted, versions);
}

function ofPath(
  url: string,
  asked: { readonly number: number; readonly rest: string },
  { named, anyJson }: Accepted,
  versions: readonly ApiVersion[],
): Negotiated {
  const { number, rest } = asked;
  const isNamed = named.includes(number);
  if (named.length > 0 && !isNamed && !anyJson) {
    const said = named.map((other) => `v${other}`).join(', ');
    return refused('version_conflict', `the path asks for v${number}, and Accept for ${said}`);
  }
  const version = supportedOf(versions).find((one) => one.number === number);
  return version ? { kind: 'version', version, url, isNamed } : gone(number, rest, versions);
}

function ofAccept(url: string, { named, anyJson }: Accepted, versions: readonly ApiVersion[]): Negotiated {
  const supported = supportedOf(versions);
  const rest = url.slice(API.length - 1);
  const found = named.flatMap((number) => supported.find((one) => one.number === number) ?? [])[0];
  const version = found ?? (named.length === 0 || anyJson ? oldestOf(versions) : undefined);
  if (version)
    return { kind: 'version', version, url: `${prefixOf(version)}${rest}`, isNamed: version === found };
  const above = named.find((number) => number > newestOf(versions).number);
  if (above === undefined) return gone(named[0] ?? 0, rest.split('?', 1)[0] ?? '', versions);
  const types = supported.map(mediaTypeOf);
  return refused('version_not_acceptable', `there is no v${above}; Accept may name ${types.join(', ')}`, {
    supported: supported.map(({ number }) => number),
    docs: newestOf(versions).docs,
  });
}

function isAboutUs(accept: string | undefined): boolean {
  return accept !== undefined && ABOUT_US.test(accept);
}

function acceptedOf(accept: string | undefined): Accepted {
  if (accept === undefined || !isAboutUs(accept)) return ANYTHING;
  const ranges = accept
    .split(',')
    .map(rangeOf)
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  const vendors = ranges.filter(({ type }) => type.startsWith(VENDOR));
  const numbers = vendors.map(({ type }) => VENDOR_VERSION.exec(type)?.[1] ?? '');
  const wrong = numbers.findIndex((number) => !NUMBER.test(number));
  return {
    named: numbers.map(Number),
    anyJson: ranges.some(({ type }) => ANY_JSON.has(type)),
    ...(wrong >= 0 && { malformed: (vendors[wrong]?.type ?? '').slice(0, MAX_QUOTED) }),
  };
}

/** A media range and its quality (RFC 9110, 12.5.1); one that cannot be read counts as 1. */
function rangeOf(text: string): { readonly type: string; readonly quality: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  const value = quality === undefined ? 1 : Number(quality);
  return { type, quality: Number.isNaN(value) ? 1 : value };
}

function malformed(what: string): Negotiated {
  return refused(
    'version_malformed',
    `${what} is no version; write v1 or v2, such as ${mediaTypeOf({ number: 2 })}`,
  );
}

/** Below what is served, above it, or retired: the nearest version that is served has what was asked for. */
function gone(number: number, rest: string, versions: readonly ApiVersion[]): Negotiated {
  const supported = supportedOf(versions);
  const row = versions.find((version) => version.number === number);
  const next = supported.find((version) => version.number > number) ?? newestOf(versions);
  return refused(
    'version_gone',
    `v${number} is not served; ${supported.map((version) => `v${version.number}`).join(' and ')} are`,
    {
      supported: supported.map((version) => version.number),
      successor: `${prefixOf(next)}${rest}`,
      docs: row?.docs ?? newestOf(versions).docs,
    },
  );
}

function refused(
  code: ErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): Negotiated {
  return { kind: 'refused', error: new BrainError(code, message, { operation: 'http.version', details }) };
}
