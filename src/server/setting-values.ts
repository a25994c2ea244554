import { isIP } from 'node:net';
import type { Quota } from '../http/rate-limit.ts';

// How the text of each setting is read. Each throws an Error that says what it must be.

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new Error(`a port is 0 to 65535, not "${text}"`);
  return Number(text);
}

export function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`it is a whole number from 1, not "${text}"`);
  return Number(text);
}

export function oneOf<T extends string>(text: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === text);
  if (found === undefined) throw new Error(`it is one of ${allowed.join(', ')}, not "${text}"`);
  return found;
}

/** Over a network that others are on, keys must come by TLS. */
export function secureUrl(text: string): string {
  const url = URL.parse(text);
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (!url || !secure) throw new Error(`it is an https URL, not "${text}"`);
  return url.href;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** As `600/m`: requests a second, minute or hour. */
export function rateLimit(text: string): Quota | 'off' {
  if (text === 'off') return 'off';
  const [, requests, unit] = /^([1-9]\d{0,8})\/([smh])$/.exec(text) ?? [];
  if (requests === undefined || unit === undefined)
    throw new Error(
      `it is a number of requests a second, minute or hour, such as 600/m, or off; not "${text}"`,
    );
  return { requests: Number(requests), seconds: UNIT_SECONDS[unit] ?? 1 };
}

/** A list by commas, each as browsers send it. */
export function origins(text: string): readonly string[] {
  return listed(text).map((one) => {
    const url = URL.parse(one);
    if (!url || !/^https?:$/.test(url.protocol) || url.origin !== one)
      throw new Error(`an origin is written as https://notes.example or http://localhost:5173, not "${one}"`);
    return one;
  });
}

/** A list by commas of addresses and networks. */
export function addresses(text: string): readonly string[] {
  return listed(text).map((one) => {
    const [address = '', bits, ...rest] = one.split('/');
    const most = isIP(address) === 4 ? 32 : 128;
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (isIP(address) === 0 || !fits || rest.length > 0)
      throw new Error(`a proxy is named by its address, such as 127.0.0.1 or 10.0.0.0/8, not "${one}"`);
    return one;
  });
}

function listed(text: string): readonly string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** DynamoDB's own rule for names. */
export function tableName(text: string): string {
  if (/^[\w.-]{3,255}$/.test(text)) return text;
  throw new Error(`a table's name is 3 to 255 letters, digits, dots, hyphens and underscores, not "${text}"`);
}

export function pollMs(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) > 0) return Number(text);
  throw new Error(`it is 1 to 99999 milliseconds, not "${text}"`);
}
