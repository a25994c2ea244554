import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BrainError } from '../domain/error.ts';

/** Deeper than anything that the API takes. */
const JSON_DEPTH = 32;
/** Keys that some code somewhere takes for the prototype of an object. */
const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

/** Bodies are JSON in UTF-8: text of another encoding is refused, and not stored with its letters replaced. */
export function takeJsonAlone(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      // Many clients name a type with every request: where nothing is taken, nothing is no broken JSON.
      if (body.length === 0 && request.routeOptions.schema?.body === undefined) return undefined;
      const charset = CHARSET.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
      if (charset.toLowerCase() !== 'utf-8') throw unsupported('a body is JSON in UTF-8');
      if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
        throw unsupported('a body is sent as it is, without a Content-Encoding');
      if (!isUtf8(body)) throw malformed('the body is not UTF-8');
      return parseJson(body.toString('utf8'));
    },
  );
}

/**
 * Throws `malformed` for what is no JSON, and for JSON that two readers may read differently: a key twice in an object,
 * a key named as a prototype, nesting without end.
 */
export function parseJson(text: string): unknown {
  checkStructure(text);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw malformed(`the body is not JSON: ${(cause as Error).message}`, cause);
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Walks over the text once. It need not be JSON: what is not is left to the parser. */
function checkStructure(text: string): void {
  /** The keys of each object around this place; undefined for an array. */
  const around: (Set<string> | undefined)[] = [];
  let awaitsKey = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        if (awaitsKey) addKey(around.at(-1), text.slice(at, end + 1));
        awaitsKey = false;
        at = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        if (around.length === JSON_DEPTH)
          throw malformed(`the body is nested deeper than ${JSON_DEPTH} levels`);
        awaitsKey = text.charCodeAt(at) === OPEN_OBJECT;
        around.push(awaitsKey ? new Set() : undefined);
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        around.pop();
        awaitsKey = false;
        break;
      case COMMA:
        awaitsKey = around.at(-1) !== undefined;
    }
  }
}

/** The place of the closing quote; the last of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

function addKey(keys: Set<string> | undefined, quoted: string): void {
  const key = quoted.includes('\\') ? unescaped(quoted) : quoted.slice(1, -1);
  if (PROTOTYPE_KEYS.has(key)) throw malformed(`${key} is no key of anything here`);
  if (keys?.has(key))
    throw malformed(`the key ${JSON.stringify(key.slice(0, 100))} stands twice in one object`);
  keys?.add(key);
}

function unescaped(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted; // no JSON, which the parser will say
  }
}

const unsupported = (message: string): BrainError =>
  new BrainError('unsupported_media_type', message, { operation: 'http.parse' });

const malformed = (message: string, cause?: unknown): BrainError =>
  new BrainError('malformed', message, { cause, operation: 'http.parse' });
