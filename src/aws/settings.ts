import { BrainError } from '../domain/error.ts';
import { readSettings, type Settings } from '../server/settings.ts';

/** What a function needs to know besides the settings of a server. */
export interface FunctionSettings {
  readonly settings: Settings;
  /** Name or ARN of the bus that every event is put on. */
  readonly eventBus: string;
  /** Where the gateway takes frames for its connections: `https://<api>.execute-api.<region>.amazonaws.com/<stage>`. */
  readonly socketEndpoint: string;
  /** Name of the bucket that keeps the indexes of owners. */
  readonly snapshotBucket: string;
}

const VARIABLES = {
  eventBus: 'BRAIN2_EVENT_BUS',
  socketEndpoint: 'BRAIN2_SOCKET_ENDPOINT',
  snapshotBucket: 'BRAIN2_SNAPSHOT_BUCKET',
} as const;

/** A function may write nowhere else, and keeps nothing there. */
const SCRATCH = '/tmp';

/** Throws `invalid` with each variable that is missing or wrong. Nobody is served without being asked who they are. */
export function readFunctionSettings(
  environment: Readonly<Record<string, string | undefined>>,
): FunctionSettings {
  const missing = Object.values(VARIABLES).filter((name) => !environment[name]);
  if (missing.length > 0) throw refused(`a function needs ${missing.join(', ')}`);
  const { BRAIN2_EVENT_BUS = '', BRAIN2_SOCKET_ENDPOINT = '', BRAIN2_SNAPSHOT_BUCKET = '' } = environment;
  const own: readonly string[] = Object.values(VARIABLES);
  const rest = Object.fromEntries(Object.entries(environment).filter(([name]) => !own.includes(name)));
  const settings = readSettings({ ...rest, BRAIN2_STORE: 'dynamodb', BRAIN2_DATA_DIR: SCRATCH });
  if (settings.auth === 'local') throw refused('a function needs BRAIN2_AUTH=token or BRAIN2_AUTH=jwt');
  return {
    settings,
    eventBus: BRAIN2_EVENT_BUS,
    socketEndpoint: BRAIN2_SOCKET_ENDPOINT,
    snapshotBucket: BRAIN2_SNAPSHOT_BUCKET,
  };
}

const refused = (message: string): BrainError =>
  new BrainError('invalid', message, { operation: 'aws.settings' });
