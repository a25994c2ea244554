import { resolve } from 'node:path';
import { BrainError, type Issue } from '../domain/error.ts';
import { nearest } from '../shared/nearest.ts';

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
};

const LOG_LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];
const LOG_FORMATS: readonly string[] = ['json', 'pretty'];
const MODES: readonly string[] = ['production', 'development'];
const STORES: readonly string[] = ['sqlite', 'dynamodb'];

/** The environment variable of each setting, and how its text is read. */
const VARIABLES: {
  readonly [K in keyof Settings]: { readonly name: string; readonly parse: (text: string) => Settings[K] };
} = {
  host: { name: 'BRAIN2_HOST', parse: (text) => text },
  port: { name: 'BRAIN2_PORT', parse: port },
  dataDir: { name: 'BRAIN2_DATA_DIR', parse: (text) => text },
  logLevel: { name: 'BRAIN2_LOG_LEVEL', parse: (text) => oneOf(text, LOG_LEVELS) as Settings['logLevel'] },
  logFormat: {
    name: 'BRAIN2_LOG_FORMAT',
    parse: (text) => oneOf(text, LOG_FORMATS) as Settings['logFormat'],
  },
  mode: { name: 'BRAIN2_MODE', parse: (text) => oneOf(text, MODES) as Settings['mode'] },
  store: { name: 'BRAIN2_STORE', parse: (text) => oneOf(text, STORES) as Settings['store'] },
  table: { name: 'BRAIN2_TABLE', parse: tableName },
  pollMs: { name: 'BRAIN2_POLL_MS', parse: pollMs },
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
  const settings: Settings = {
    host: read('host'),
    port: read('port'),
    dataDir: resolve(read('dataDir')),
    logLevel: read('logLevel'),
    logFormat: read('logFormat'),
    mode: read('mode'),
    store: read('store'),
    table: read('table'),
    pollMs: read('pollMs'),
  };
  if (!isLoopback(settings.host)) {
    issues.push({
      pointer: 'BRAIN2_HOST',
      code: 'open_host',
      message:
        `refusing to listen on ${settings.host}: it can be reached from other machines, and there is no ` +
        'authentication yet. Listen on 127.0.0.1 and put a proxy that authenticates in front.',
    });
  }
  if (issues.length > 0) {
    throw new BrainError('invalid', issues.map((issue) => issue.message).join('\n'), { issues });
  }
  return settings;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
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

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new Error(`a port is 0 to 65535, not "${text}"`);
  return Number(text);
}

/** DynamoDB's own rule for names. */
function tableName(text: string): string {
  if (/^[\w.-]{3,255}$/.test(text)) return text;
  throw new Error(`a table's name is 3 to 255 letters, digits, dots, hyphens and underscores, not "${text}"`);
}

function pollMs(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) > 0) return Number(text);
  throw new Error(`it is 1 to 99999 milliseconds, not "${text}"`);
}

function oneOf(text: string, allowed: readonly string[]): string {
  if (!allowed.includes(text)) throw new Error(`it is one of ${allowed.join(', ')}, not "${text}"`);
  return text;
}
