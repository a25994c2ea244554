import { resolve } from 'node:path';
import { BrainError, type Issue } from '../domain/error.ts';
import type { Quota } from '../http/rate-limit.ts';
import { nearest } from '../shared/nearest.ts';
import {
  addresses,
  count,
  isLoopback,
  oneOf,
  origins,
  pollMs,
  port,
  rateLimit,
  secureUrl,
  tableName,
} from './setting-values.ts';

/** Everything that can be set, from flags over environment over defaults. */
export interface Settings {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDir: string;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly logFormat: 'json' | 'pretty';
  /** In development, problems tell what went wrong inside. */
  readonly mode: 'production' | 'development';
  /** Where the graphs are: in a file of the data folder, or in a table at AWS that many servers share. */
  readonly store: 'sqlite' | 'dynamodb';
  /** Name of the DynamoDB table. Region, credentials and endpoint are the SDK's own settings. */
  readonly table: string;
  /** How often a server looks for what others wrote to the graphs that somebody listens to. */
  readonly pollMs: number;
  /** Who may use the API: this machine as one owner, whoever has a token, whoever an issuer vouches for. */
  readonly auth: 'local' | 'token' | 'jwt';
  /** Where the issuer of JWTs publishes its keys. */
  readonly jwksUrl: string | undefined;
  readonly jwtIssuer: string | undefined;
  readonly jwtAudience: string | undefined;
  /** Absent: what suits the way of authentication. */
  readonly rateLimit: Quota | 'off' | undefined;
  /** How many sockets and streams of events one owner may have. Absent: what suits the way of authentication. */
  readonly socketsOfOwner: number | undefined;
  /** Other origins whose pages may use the API. */
  readonly allowedOrigins: readonly string[];
  /** Addresses of proxies whose forwarding headers are believed. */
  readonly trustProxy: readonly string[];
  /** A secret: the credential of the command line. */
  readonly token: string | undefined;
  /** How long, and how many, events stay in an owner's log: who comes back later reads the graph anew. */
  readonly eventDays: number;
  readonly eventCount: number;
  /** Of the notes of all owners, how many are kept in indexes in memory that nobody has used for ten minutes. */
  readonly indexNotes: number;
}

export const DEFAULTS: Settings = {
  host: '127.0.0.1',
  port: 4321,
  dataDir: './data',
  logLevel: 'info',
  logFormat: 'json',
  mode: 'production',
  store: 'sqlite',
  table: 'brain2',
  pollMs: 20,
  auth: 'local',
  jwksUrl: undefined,
  jwtIssuer: undefined,
  jwtAudience: undefined,
  rateLimit: undefined,
  socketsOfOwner: undefined,
  allowedOrigins: [],
  trustProxy: [],
  token: undefined,
  eventDays: 7,
  eventCount: 100_000,
  indexNotes: 100_000,
};

const asIs = (text: string): string => text;

/** The environment variable of each setting, and how its text is read. */
const VARIABLES: {
  readonly [K in keyof Settings]: { readonly name: string; readonly parse: (text: string) => Settings[K] };
} = {
  host: { name: 'BRAIN2_HOST', parse: asIs },
  port: { name: 'BRAIN2_PORT', parse: port },
  dataDir: { name: 'BRAIN2_DATA_DIR', parse: asIs },
  logLevel: {
    name: 'BRAIN2_LOG_LEVEL',
    parse: (text) => oneOf(text, ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const),
  },
  mode: { name: 'BRAIN2_MODE', parse: (text) => oneOf(text, ['production', 'development'] as const) },
  logFormat: { name: 'BRAIN2_LOG_FORMAT', parse: (text) => oneOf(text, ['json', 'pretty'] as const) },
  store: { name: 'BRAIN2_STORE', parse: (text) => oneOf(text, ['sqlite', 'dynamodb'] as const) },
  table: { name: 'BRAIN2_TABLE', parse: tableName },
  pollMs: { name: 'BRAIN2_POLL_MS', parse: pollMs },
  auth: { name: 'BRAIN2_AUTH', parse: (text) => oneOf(text, ['local', 'token', 'jwt'] as const) },
  jwksUrl: { name: 'BRAIN2_JWKS_URL', parse: secureUrl },
  jwtIssuer: { name: 'BRAIN2_JWT_ISSUER', parse: asIs },
  jwtAudience: { name: 'BRAIN2_JWT_AUDIENCE', parse: asIs },
  rateLimit: { name: 'BRAIN2_RATE_LIMIT', parse: rateLimit },
  socketsOfOwner: { name: 'BRAIN2_SOCKETS_PER_OWNER', parse: count },
  allowedOrigins: { name: 'BRAIN2_ALLOWED_ORIGINS', parse: origins },
  trustProxy: { name: 'BRAIN2_TRUST_PROXY', parse: addresses },
  token: { name: 'BRAIN2_TOKEN', parse: asIs },
  eventDays: { name: 'BRAIN2_EVENT_DAYS', parse: count },
  eventCount: { name: 'BRAIN2_EVENT_COUNT', parse: count },
  indexNotes: { name: 'BRAIN2_INDEX_NOTES', parse: count },
};

/** Where the settings come from, given as text: flags by setting name, then the environment. */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Partial<Record<keyof Settings, string | undefined>>> = {},
): Settings {
  const issues: Issue[] = unknownVariables(environment);
  const read = <K extends keyof Settings>(setting: K): Settings[K] => {
    const { name, parse } = VARIABLES[setting];
    const flag = flags[setting];
    const text = flag ?? environment[name];
    if (text === undefined || text === '') return DEFAULTS[setting];
    try {
      return parse(text);
    } catch (error) {
      const where = flag === undefined ? name : `--${setting}`;
      issues.push({ pointer: where, code: 'setting', message: `${where}: ${(error as Error).message}` });
      return DEFAULTS[setting];
    }
  };
  const given = Object.keys(VARIABLES).map((key) => [key, read(key as keyof Settings)]);
  const settings = Object.fromEntries(given) as Settings;
  issues.push(...openHost(settings), ...missingForJwt(settings));
  if (issues.length > 0) {
    throw new BrainError('invalid', issues.map((issue) => issue.message).join('\n'), { issues });
  }
  return { ...settings, dataDir: resolve(settings.dataDir) };
}

/** On one's own machine every program is the one owner's; elsewhere an owner shares what serves with a thousand. */
const SOCKETS_OF_OWNER = { local: 100, token: 10, jwt: 10 };

/** How many sockets and streams of events one owner may have. */
export function socketsOfOwner(settings: Settings): number {
  return settings.socketsOfOwner ?? SOCKETS_OF_OWNER[settings.auth];
}

/** The settings as they may be shown. */
export function withoutSecrets(settings: Settings): Settings {
  return settings.token === undefined ? settings : { ...settings, token: '(hidden)' };
}

function openHost({ host, auth }: Settings): readonly Issue[] {
  if (auth !== 'local' || isLoopback(host)) return [];
  return [
    {
      pointer: 'BRAIN2_HOST',
      code: 'open_host',
      message:
        `refusing to listen on ${host}: it can be reached from other machines, and BRAIN2_AUTH=local asks nobody ` +
        'who they are. Make a token with `brain2 token create` and set BRAIN2_AUTH=token, set BRAIN2_AUTH=jwt ' +
        'with your issuer, or listen on 127.0.0.1.',
    },
  ];
}

function missingForJwt(settings: Settings): readonly Issue[] {
  if (settings.auth !== 'jwt') return [];
  const needed = ['jwksUrl', 'jwtIssuer', 'jwtAudience'] as const;
  return needed
    .filter((setting) => settings[setting] === undefined)
    .map((setting) => {
      const { name } = VARIABLES[setting];
      return { pointer: name, code: 'missing_setting', message: `BRAIN2_AUTH=jwt needs ${name}` };
    });
}

function unknownVariables(environment: Readonly<Record<string, string | undefined>>): Issue[] {
  const known = Object.values(VARIABLES).map(({ name }) => name);
  return Object.keys(environment)
    .filter((name) => name.startsWith('BRAIN2_') && !name.startsWith('BRAIN2_TEST_') && !known.includes(name))
    .map((name) => ({
      pointer: name,
      code: 'unknown_setting',
      message: `${name} is not a setting; did you mean ${nearest(name, known)}?`,
    }));
}
