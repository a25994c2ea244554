import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

/** Connections to DynamoDB, kept open between requests: making one costs more than most requests take. */
const MOST_SOCKETS = 128;
const CONNECT_MS = 1_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A client as the SDK's own variables and files describe it (`AWS_REGION`, `AWS_PROFILE`,
 * `AWS_ENDPOINT_URL_DYNAMODB`, …). An emulator on this machine asks for neither region nor credentials, so where none
 * are set the client brings some: without them the SDK would look for those of a virtual machine.
 */
export function dynamoClient(environment: Environment): DynamoDBClient {
  const endpoint = endpointOf(environment);
  return new DynamoDBClient({
    maxAttempts: 1, // the table retries: it knows the deadline, and what must not be sent twice
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      httpAgent: { keepAlive: true, maxSockets: MOST_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MOST_SOCKETS },
    },
    ...(endpoint !== undefined && { endpoint }),
    ...(isOnThisMachine(endpoint) && forEmulator(environment)),
  });
}

/** Where the SDK is told to find DynamoDB, if not at AWS. */
function endpointOf(environment: Environment): string | undefined {
  return environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? environment['AWS_ENDPOINT_URL'];
}

function forEmulator(environment: Environment): DynamoDBClientConfig {
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID } = environment;
  return {
    ...((AWS_REGION ?? AWS_DEFAULT_REGION ?? AWS_PROFILE) === undefined && { region: 'us-east-1' }),
    ...((AWS_ACCESS_KEY_ID ?? AWS_PROFILE) === undefined && {
      credentials: { accessKeyId: 'emulator', secretAccessKey: 'emulator' },
    }),
  };
}

function isOnThisMachine(endpoint: string | undefined): boolean {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false;
  const { hostname } = new URL(endpoint);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
