import type { WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { DETAIL_TYPES, EVENT_SOURCE, JOB_CALL } from '../../src/aws/detail-types.ts';
import { acknowledge } from './acknowledge.ts';
import { BrainFunction, type Bundles } from './brain-function.ts';
import type { Events } from './events.ts';
import type { Stage } from './stage.ts';
import type { Storage } from './storage.ts';

interface FunctionsProps {
  readonly stage: Stage;
  readonly bundles: Bundles;
  readonly storage: Storage;
  readonly events: Events;
  readonly sockets: WebSocketStage;
  /** Of the page, such as `https://brain.example`. */
  readonly origin: string;
}

/** The memory at which a function has one whole processor. */
const WHOLE_CPU_MB = 1_769;
const SMALL_MB = 512;
/** As long as Lambda lets anything run. */
const LONGEST_SECONDS = 900;
/** How long the bus, or the stream, goes on trying to hand over what a function does not take. */
const TRIED_FOR = Duration.hours(24);

/** Everything that runs, each function with what it may do. `src/aws/` is their code. */
export class Functions extends Construct {
  readonly http: BrainFunction;
  readonly authorizer: BrainFunction;
  readonly socket: BrainFunction;
  readonly outbox: BrainFunction;
  readonly repair: BrainFunction;
  readonly beat: BrainFunction;
  readonly upkeep: BrainFunction;
  readonly jobs: BrainFunction;
  readonly #props: FunctionsProps;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    this.#props = props;
    const { stage, bundles, storage, events } = props;
    const common = { stage, bundles, environment: environmentOf(props) };
    const large = { ...common, memoryMb: WHOLE_CPU_MB };
    const small = { ...common, memoryMb: SMALL_MB };
    const once = stage.reservesConcurrency ? { reservedConcurrentExecutions: 1 } : {};
    this.http = new BrainFunction(this, 'Http', { ...large, bundle: 'http', timeoutSeconds: 29 });
    this.authorizer = new BrainFunction(this, 'Authorizer', {
      ...small,
      bundle: 'socket',
      handler: 'index.authorize',
      timeoutSeconds: 10,
    });
    this.socket = new BrainFunction(this, 'Socket', { ...small, bundle: 'socket', timeoutSeconds: 29 });
    this.outbox = new BrainFunction(this, 'Outbox', { ...small, bundle: 'outbox', timeoutSeconds: 60 });
    this.repair = new BrainFunction(this, 'Repair', {
      ...small,
      bundle: 'repair',
      timeoutSeconds: 60,
      deadLetterQueue: events.repairLetters, // what it was given and failed at, three times
    });
    // What a run misses the next one does: trying again would only run two at once.
    const scheduled = { retryAttempts: 0, ...once };
    this.beat = new BrainFunction(this, 'Beat', {
      ...small,
      ...scheduled,
      bundle: 'beat',
      timeoutSeconds: 55,
    });
    this.upkeep = new BrainFunction(this, 'Upkeep', {
      ...large,
      ...scheduled,
      bundle: 'upkeep',
      timeoutSeconds: LONGEST_SECONDS,
    });
    // What its runs fail at upkeep calls for again: no letters of it are kept.
    this.jobs = new BrainFunction(this, 'Jobs', {
      ...large,
      bundle: 'jobs',
      timeoutSeconds: LONGEST_SECONDS,
    });
    for (const { role } of this.all) storage.grantTable(role);
    this.#grant();
    this.#trigger();
  }

  get all(): readonly BrainFunction[] {
    const { http, authorizer, socket, outbox, repair, beat, upkeep, jobs } = this;
    return [http, authorizer, socket, outbox, repair, beat, upkeep, jobs];
  }

  #grant(): void {
    const { storage, events, sockets } = this.#props;
    const stack = Stack.of(this);
    const connections = ['POST', 'DELETE'].map((method) =>
      stack.formatArn({
        service: 'execute-api',
        resource: sockets.api.apiId,
        resourceName: `${sockets.stageName}/${method}/@connections/*`,
      }),
    );
    for (const fn of [this.http, this.socket, this.repair, this.beat]) {
      fn.allow(
        ['execute-api:ManageConnections'],
        connections,
        'A connection is named when it is made: all those of this API and stage, and of no other.',
      );
    }
    for (const fn of [this.http, this.outbox, this.upkeep, this.jobs])
      fn.allow(['events:PutEvents'], [events.bus.eventBusArn]);
    storage.grantSnapshots(this.http.role, ['s3:GetObject']);
    for (const { role } of [this.upkeep, this.jobs])
      storage.grantSnapshots(role, ['s3:GetObject', 's3:PutObject']);
    for (const fn of [this.http, this.upkeep, this.jobs]) {
      fn.acknowledgeResources(
        [storage.snapshots.arnForObjects('indexes/*')],
        'A snapshot is named after its owner: all of one folder of one bucket.',
      );
    }
  }

  #trigger(): void {
    const { storage, events } = this.#props;
    // One stream item a transaction: the log's. What else changes is no news to anybody.
    const logItems = { eventName: ['INSERT'], dynamodb: { Keys: { pk: { S: [{ suffix: '#EV' }] } } } };
    this.outbox.lambda.addEventSource(
      new DynamoEventSource(storage.table, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        parallelizationFactor: 10,
        filters: [{ pattern: JSON.stringify(logItems) }],
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        maxRecordAge: TRIED_FOR,
        onFailure: new SqsDlq(events.outboxLetters),
      }),
    );
    acknowledge(
      this.outbox.role,
      'AwsSolutions-IAM5',
      'The list of all streams is no resource of its own: `ListStreams` can be granted on * alone.',
      ['Resource::*'],
    );
    new Rule(this, 'Committed', {
      description: 'Every event of every graph, for the connections that were not sent it',
      eventBus: events.bus,
      eventPattern: { source: [EVENT_SOURCE], detailType: [...DETAIL_TYPES] },
      targets: [
        new LambdaFunction(this.repair.lambda, {
          deadLetterQueue: events.repairLetters,
          maxEventAge: TRIED_FOR,
          retryAttempts: 185,
        }),
      ],
    });
    new Rule(this, 'JobsWaiting', {
      description: 'Whose jobs wait, for the function that runs them',
      eventBus: events.bus,
      eventPattern: { source: [JOB_CALL.source], detailType: [JOB_CALL.detailType] },
      targets: [new LambdaFunction(this.jobs.lambda)],
    });
    for (const [name, fn, minutes] of [
      ['EveryMinute', this.beat, 1],
      ['EveryQuarter', this.upkeep, 15],
    ] as const) {
      new Rule(this, name, {
        schedule: Schedule.rate(Duration.minutes(minutes)),
        targets: [new LambdaFunction(fn.lambda, { retryAttempts: 0 })],
      });
    }
  }
}

/** The same for all: what is not among the settings is refused at the start. */
function environmentOf({ stage, storage, events, sockets, origin }: FunctionsProps): Record<string, string> {
  const { auth, socketsPerOwner } = stage;
  return {
    BRAIN2_TABLE: storage.table.tableName,
    BRAIN2_AUTH: auth.kind,
    ...(auth.kind === 'jwt' && {
      BRAIN2_JWKS_URL: auth.jwksUrl,
      BRAIN2_JWT_ISSUER: auth.issuer,
      BRAIN2_JWT_AUDIENCE: auth.audience,
    }),
    BRAIN2_EVENT_BUS: events.bus.eventBusName,
    BRAIN2_SOCKET_ENDPOINT: sockets.callbackUrl,
    BRAIN2_SNAPSHOT_BUCKET: storage.snapshots.bucketName,
    BRAIN2_ALLOWED_ORIGINS: origin,
    ...(socketsPerOwner !== undefined && { BRAIN2_SOCKETS_PER_OWNER: String(socketsPerOwner) }),
  };
}
