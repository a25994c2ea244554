import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, test } from 'vitest';
import { readFunctionSettings } from '../../src/aws/settings.ts';
import { DETAIL_TYPES, EVENT_SOURCE, JOB_CALL } from '../../src/aws/detail-types.ts';
import { ownerId } from '../../src/domain/values.ts';
import { pks } from '../../src/storage/keys.ts';
import { readStages } from '../lib/stage.ts';
import { bundlesAsked, DEV, newApp, PROD, Synthesised } from './stacks.ts';

const { app, stacks } = newApp(DEV, PROD);
const [dev, prod] = stacks.map((stack) => new Synthesised(stack)) as [Synthesised, Synthesised];

/** The ids of functions, `Http` → `FunctionsHttpFunction…`. */
const functionIds = new Map(
  dev.of('AWS::Lambda::Function').map(([id]) => [/^Functions([A-Z][a-z]+)Function/.exec(id)?.[1] ?? id, id]),
);

const NAME =
  /^(?:Table|Bucket|Api|Dashboard|Function|Role|Queue|Topic|LogGroup|Alarm|ResponseHeadersPolicy|OriginAccessControl)?(?:Name|Config)$/;
/** Whose names count within an API alone. */
const OF_AN_API = /^AWS::ApiGatewayV2::(?:Authorizer|Stage)$/;

/** The names that a stack chooses by itself: of those that CloudFormation makes up, the stack's is a part. */
function namesOf(stack: Synthesised): Set<string> {
  const found = stack.all
    .filter(([, { Type }]) => !OF_AN_API.test(Type))
    .flatMap(([, { Properties = {} }]) => Object.entries(Properties as Record<string, unknown>))
    .filter(([key]) => NAME.test(key))
    .map(([, value]) => (value as { readonly Name?: unknown }).Name ?? value)
    .map((name) => JSON.stringify(name))
    .filter((name) => !/^\{"(?:Ref|Fn::GetAtt)"/.test(name));
  return new Set(found);
}

describe('synthesis', () => {
  test('has no finding of cdk-nag that nobody answered', () => {
    assert.doesNotThrow(() => app.synth());
  });

  test('fails for one', () => {
    const weakened = newApp(DEV);
    new Bucket(weakened.stacks[0]!, 'Open');
    assert.throws(() => weakened.app.synth(), { name: 'ValidationFailed' });
  });

  test('names every mistake in the stages of cdk.json', () => {
    const wrong = {
      Dev: { auth: { kind: 'open' }, isProtected: 'no', logDays: 15, retention: 3, socketsPerOwner: 0 },
      jwt: { auth: { kind: 'jwt', issuer: 'https://issuer.example/' }, isProtected: true, logDays: 90 },
    };
    for (const mistake of [
      /Dev: there is no field retention/,
      /Dev: a name is 1 to 16/,
      /Dev: auth\.kind is token or jwt/,
      /Dev: isProtected/,
      /Dev: logDays/,
      /Dev: socketsPerOwner/,
      /jwt: auth\.audience is missing/,
      /jwt: auth\.jwksUrl is missing/,
    ]) {
      assert.throws(() => readStages(wrong), mistake);
    }
    assert.throws(() => readStages({}), /names no stage/);
  });
});

describe('two stages', () => {
  test('of one account have no name in common', () => {
    const inDev = namesOf(dev);
    assert.ok(inDev.size >= 6);
    assert.deepEqual([...inDev.intersection(namesOf(prod))], []);
  });

  test('differ in what may be lost: a protected one outlives its stack', () => {
    const kept = ['AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::Logs::LogGroup'];
    for (const type of kept) {
      for (const [, { DeletionPolicy }] of dev.of(type)) assert.equal(DeletionPolicy, 'Delete');
      for (const [, { DeletionPolicy }] of prod.of(type)) assert.match(DeletionPolicy ?? 'Retain', /Retain/);
    }
    assert.equal(dev.one('AWS::DynamoDB::Table').Properties.DeletionProtectionEnabled, false);
    assert.equal(prod.one('AWS::DynamoDB::Table').Properties.DeletionProtectionEnabled, true);
    assert.deepEqual(
      stacks.map(({ terminationProtection }) => terminationProtection),
      [false, true],
    );
  });
});

test('the table is paid by use, recoverable, and forgets what has expired', () => {
  const { Properties } = dev.one('AWS::DynamoDB::Table');
  assert.equal(Properties.BillingMode, 'PAY_PER_REQUEST');
  assert.deepEqual(Properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true });
  assert.deepEqual(Properties.TimeToLiveSpecification, { AttributeName: 'ttl', Enabled: true });
  assert.deepEqual(Properties.StreamSpecification, { StreamViewType: 'KEYS_ONLY' });
  assert.deepEqual(
    (Properties.KeySchema as { AttributeName: string; KeyType: string }[]).map((key) => [
      key.AttributeName,
      key.KeyType,
    ]),
    [
      ['pk', 'HASH'],
      ['sk', 'RANGE'],
    ],
  );
});

test('every function runs on Node 24 on arm64, is traced, has a log that ends, and the same settings', () => {
  const functions = dev.of('AWS::Lambda::Function');
  assert.deepEqual([...functionIds.keys()].toSorted(), [
    'Authorizer',
    'Beat',
    'Http',
    'Jobs',
    'Outbox',
    'Repair',
    'Socket',
    'Upkeep',
  ]);
  const settings = functions.map(([, { Properties }]) => JSON.stringify(Properties.Environment));
  assert.equal(new Set(settings).size, 1);
  for (const [id, { Properties }] of functions) {
    assert.equal(Properties.Runtime, 'nodejs24.x', id);
    assert.deepEqual(Properties.Architectures, ['arm64'], id);
    assert.deepEqual(Properties.TracingConfig, { Mode: 'Active' }, id);
    const log = dev.all.find(([name]) => name === Properties.LoggingConfig.LogGroup.Ref)?.[1];
    assert.equal(log?.Properties.RetentionInDays, 14, id);
  }
  for (const [id, { Properties }] of dev.of('AWS::Logs::LogGroup')) {
    assert.equal(Properties.RetentionInDays, 14, id);
  }
});

test('functions find every setting that they need, and none that they refuse', () => {
  for (const [stack, auth] of [
    [dev, 'token'],
    [prod, 'jwt'],
  ] as const) {
    const [, { Properties }] = stack.of('AWS::Lambda::Function')[0]!;
    const known = Properties.Environment.Variables as Record<string, unknown>;
    // What is known at deployment alone stands there as an object.
    const environment = Object.entries(known).map(([name, value]) => {
      const made = name === 'BRAIN2_TABLE' ? 'made' : 'https://made.example';
      return [name, typeof value === 'string' ? value : made] as const;
    });
    const { settings } = readFunctionSettings(Object.fromEntries(environment));
    assert.equal(settings.auth, auth);
    assert.equal(settings.socketsOfOwner, stack === prod ? 25 : undefined);
    assert.deepEqual(settings.allowedOrigins, [
      stack === prod ? 'https://brain.example.org' : 'https://made.example',
    ]);
  }
});

test('the bundles that are deployed are those that are built', () => {
  const built = readdirSync(join(import.meta.dirname, '../../src/aws'))
    .filter((name) => name.endsWith('-entry.ts'))
    .map((name) => name.slice(0, -'-entry.ts'.length));
  assert.deepEqual([...bundlesAsked].toSorted(), built.toSorted());
});

describe('events', () => {
  const rulesTo = (name: string) =>
    dev
      .of('AWS::Events::Rule')
      .filter(([, { Properties }]) =>
        JSON.stringify(Properties.Targets).includes(functionIds.get(name) ?? ' '),
      );
  const patternsOf = (name: string) => rulesTo(name).map(([, { Properties }]) => Properties.EventPattern);

  test('the rule names exactly the types that are emitted, and the source that emits them', () => {
    const [pattern, ...others] = patternsOf('Repair');
    assert.equal(others.length, 0);
    assert.deepEqual(pattern.source, [EVENT_SOURCE]);
    assert.deepEqual((pattern['detail-type'] as string[]).toSorted(), [...DETAIL_TYPES].toSorted());
    assert.ok(JSON.stringify(pattern).length < 2_048, 'EventBridge takes no longer pattern');
  });

  test('the call for jobs reaches the function that runs them, and nothing else does', () => {
    assert.deepEqual(patternsOf('Jobs'), [
      { source: [JOB_CALL.source], 'detail-type': [JOB_CALL.detailType] },
    ]);
    const [[, { Properties }] = assert.fail()] = rulesTo('Jobs');
    assert.deepEqual(Properties.EventBusName, { Ref: dev.of('AWS::Events::EventBus')[0]?.[0] });
    const jobs = dev.all.find(([id]) => id === functionIds.get('Jobs'))?.[1];
    assert.equal(jobs?.Properties.Timeout, 900);
  });

  test('the outbox hears of what the store calls its log, and of nothing else', () => {
    const { Properties } = dev.one('AWS::Lambda::EventSourceMapping');
    const [{ Pattern }] = Properties.FilterCriteria.Filters as [{ readonly Pattern: string }];
    const { eventName, dynamodb } = JSON.parse(Pattern);
    assert.deepEqual(eventName, ['INSERT']);
    const [{ suffix }] = dynamodb.Keys.pk.S;
    const owner = ownerId('somebody');
    const suffixed = Object.entries(pks).filter(([, of]) => of(owner).endsWith(suffix as string));
    assert.deepEqual(
      suffixed.map(([name]) => name),
      ['log'],
    );
    assert.deepEqual(Properties.FunctionResponseTypes, ['ReportBatchItemFailures']);
    assert.equal(Properties.BisectBatchOnFunctionError, true);
    assert.ok(Properties.DestinationConfig.OnFailure.Destination);
  });

  test('what cannot be handed on is kept, and somebody is told', () => {
    const queues = dev.of('AWS::SQS::Queue').map(([id]) => id);
    assert.equal(queues.length, 2);
    const watched = JSON.stringify(dev.of('AWS::CloudWatch::Alarm'));
    for (const id of queues) assert.ok(watched.includes(`"${id}","QueueName"`), id);
    const [[, { Properties }] = assert.fail()] = rulesTo('Repair');
    assert.ok(Properties.Targets[0].DeadLetterConfig);
    const repair = dev.all.find(([id]) => id === functionIds.get('Repair'))?.[1];
    assert.ok(repair?.Properties.DeadLetterConfig);
  });

  test('every function has an alarm, and every alarm tells the topic', () => {
    const alarms = dev.of('AWS::CloudWatch::Alarm');
    const watched = JSON.stringify(alarms);
    for (const id of functionIds.values()) assert.ok(watched.includes(id), id);
    const topic = dev.of('AWS::SNS::Topic')[0]?.[0];
    for (const [id, { Properties }] of alarms)
      assert.deepEqual(Properties.AlarmActions, [{ Ref: topic }], id);
    assert.equal(dev.of('AWS::SNS::Subscription').length, 0);
    assert.equal(prod.one('AWS::SNS::Subscription').Properties.Endpoint, PROD.alarmEmail);
  });
});

describe('the gateways', () => {
  const routesOf = (of: Synthesised): Record<string, string> =>
    Object.fromEntries(
      of
        .of('AWS::ApiGatewayV2::Route')
        .map(([, { Properties }]) => [Properties.RouteKey, Properties.AuthorizationType ?? 'NONE']),
    );

  test('ask for a ticket where a socket connects, also of who brings none', () => {
    assert.deepEqual(routesOf(dev), {
      'ANY /': 'NONE',
      'ANY /{proxy+}': 'NONE',
      $connect: 'CUSTOM',
      $disconnect: 'NONE',
      $default: 'NONE',
    });
    const ticket = dev.one('AWS::ApiGatewayV2::Authorizer').Properties;
    assert.equal(ticket.AuthorizerType, 'REQUEST');
    assert.deepEqual(ticket.IdentitySource ?? [], []);
  });

  test('ask for a JWT before the API where the stage has an issuer, but not before what is open', () => {
    assert.deepEqual(routesOf(prod), {
      ...routesOf(dev),
      'ANY /api/{proxy+}': 'JWT',
      'OPTIONS /api/{proxy+}': 'NONE',
      'GET /api/versions': 'NONE',
      'GET /api/v1/openapi.json': 'NONE',
      'GET /api/v2/openapi.json': 'NONE',
    });
    const jwt = prod
      .of('AWS::ApiGatewayV2::Authorizer')
      .find(([, { Properties }]) => Properties.AuthorizerType === 'JWT')?.[1];
    assert.deepEqual(jwt?.Properties.JwtConfiguration, {
      Audience: ['brain2'],
      Issuer: 'https://issuer.example/',
    });
  });

  test('log neither paths nor queries, which may tell what somebody looked for', () => {
    const [, stage] = dev
      .of('AWS::ApiGatewayV2::Stage')
      .find(([, { Properties }]) => Properties.StageName === '$default')!;
    const { Format } = stage.Properties.AccessLogSettings;
    assert.match(Format, /routeKey/);
    assert.doesNotMatch(Format, /path|query|identity/i);
  });

  test('take so many requests a second, and no more', () => {
    for (const [, { Properties }] of dev.of('AWS::ApiGatewayV2::Stage')) {
      assert.equal(Properties.DefaultRouteSettings.ThrottlingRateLimit, 500);
    }
  });
});

describe('the site', () => {
  const { DistributionConfig: config } = dev.one('AWS::CloudFront::Distribution').Properties;

  test('has the page, the API and the sockets behind one domain, by TLS alone', () => {
    const behaviours = Object.fromEntries(
      (config.CacheBehaviors as { readonly PathPattern: string }[]).map((one) => [one.PathPattern, one]),
    ) as Record<string, Record<string, unknown>>;
    assert.deepEqual(Object.keys(behaviours).toSorted(), [
      '/api/*',
      '/docs*',
      '/health*',
      '/livez',
      '/readyz',
      '/ws',
    ]);
    for (const one of Object.values(behaviours)) {
      assert.equal(one['ViewerProtocolPolicy'], 'https-only');
      // AWS's own CachingDisabled and AllViewerExceptHostHeader.
      assert.equal(one['CachePolicyId'], '4135ea2d-6df8-44a3-9df3-4b5a84be39ad');
      assert.equal(one['OriginRequestPolicyId'], 'b689b0a8-53d0-40ab-baf2-68738e2966ac');
    }
    const socket = (config.Origins as { readonly Id: string; readonly OriginPath?: string }[]).find(
      ({ Id }) => Id === behaviours['/ws']?.['TargetOriginId'],
    );
    assert.equal(socket?.OriginPath, '/live');
    assert.equal(config.DefaultCacheBehavior.ViewerProtocolPolicy, 'redirect-to-https');
  });

  test('sends the page with a policy that lets nothing else in', () => {
    const { ResponseHeadersPolicyConfig } = dev.one('AWS::CloudFront::ResponseHeadersPolicy').Properties;
    const { ContentSecurityPolicy } = ResponseHeadersPolicyConfig.SecurityHeadersConfig.ContentSecurityPolicy;
    assert.match(ContentSecurityPolicy, /^default-src 'none'/);
    assert.doesNotMatch(ContentSecurityPolicy, /unsafe/);
  });

  test('has its own name and TLS 1.2 where the stage has a certificate', () => {
    const { DistributionConfig: named } = prod.one('AWS::CloudFront::Distribution').Properties;
    assert.deepEqual(named.Aliases, ['brain.example.org']);
    assert.equal(named.ViewerCertificate.MinimumProtocolVersion, 'TLSv1.2_2021');
    const [, fn] = prod.of('AWS::Lambda::Function')[0]!;
    assert.equal(fn.Properties.Environment.Variables.BRAIN2_ALLOWED_ORIGINS, 'https://brain.example.org');
  });
});
