import { readFileSync, writeFileSync } from 'node:fs';
import type { Client } from './client.ts';

/** A request as a client of v1 sent it, and what it was answered. */
export interface Exchange {
  readonly does: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly answer?: Recorded;
}

interface Recorded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Headers that are part of the contract of single answers; those of every answer have tests of their own. */
const HEADERS = ['content-type', 'location', 'allow', 'link'];

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const MONTH = /^\d{4}-\d{2}$/;
const NAME = /<(?:id|token) \d+>/g;

export function readExchanges(file: URL): readonly Exchange[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Exchange);
}

/** One exchange a line: what changes in the contract is seen in the difference. */
export function writeExchanges(file: URL, exchanges: readonly Exchange[]): void {
  writeFileSync(file, exchanges.map((exchange) => `${JSON.stringify(exchange)}\n`).join(''));
}

/**
 * Sends the recorded requests one after the other. Ids and tokens have names in the record, given in the order in which
 * they first come up; times, months and fractions, which are the engine's, are told by their kind alone.
 */
export async function replay(
  { sendRoot }: Client,
  exchanges: readonly Exchange[],
): Promise<readonly Exchange[]> {
  const names = new Map<string, string>();
  const replayed: Exchange[] = [];
  for (const { answer: _recorded, ...exchange } of exchanges) {
    const { method, path, body } = exchange;
    const sent = body === undefined ? undefined : actual(JSON.stringify(body), names);
    const {
      status,
      headers,
      body: got,
    } = await sendRoot<unknown>(method, actual(path, names, encodeURIComponent), sent);
    const told = HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]));
    const answer = { status, headers: Object.fromEntries(told) as Recorded['headers'], body: got };
    replayed.push({ ...exchange, answer: named(answer, names) as Recorded });
  }
  return replayed;
}

/** A recorded text with the ids of this run. */
function actual(
  text: string,
  names: ReadonlyMap<string, string>,
  encode = (id: string): string => id,
): string {
  const byName = new Map([...names].map(([id, name]) => [name, id]));
  return text.replace(NAME, (name) => encode(byName.get(name) ?? name));
}

function named(value: unknown, names: Map<string, string>, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => named(one, names));
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return Object.fromEntries(
      fields.map(([name, field]) => [nameOf(name, names), named(field, names, name)] as const),
    );
  }
  if (typeof value === 'number') return Number.isInteger(value) ? value : '<fraction>';
  if (typeof value !== 'string') return value;
  if (TIME.test(value)) return '<time>';
  if (MONTH.test(value)) return '<month>';
  if (key === 'reason') return '<reason>';
  return key === 'nextToken' ? nameFor(value, 'token', names) : nameOf(value, names);
}

const nameOf = (text: string, names: Map<string, string>): string =>
  text.replace(UUID, (id) => nameFor(id, 'id', names));

function nameFor(value: string, kind: 'id' | 'token', names: Map<string, string>): string {
  const known = names.get(value);
  if (known !== undefined) return known;
  const count = [...names.values()].filter((name) => name.startsWith(`<${kind} `)).length;
  const name = `<${kind} ${count + 1}>`;
  names.set(value, name);
  return name;
}
