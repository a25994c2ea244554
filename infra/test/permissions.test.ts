import assert from 'node:assert/strict';
import { test } from 'vitest';
import { DEV, newApp, Synthesised } from './stacks.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

const template = new Synthesised(newApp(DEV).stacks[0]!);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** What each function may do: `FunctionsHttp` → action → resources as JSON. */
const allowed = new Map<string, Map<string, string[]>>();
for (const [, { Properties }] of template.of('AWS::IAM::Policy')) {
  const [role] = (Properties.Roles as { readonly Ref: string }[]).map(({ Ref }) => Ref);
  const name = /^Functions([A-Z][a-z]+)Role/.exec(role ?? '')?.[1] ?? role ?? '';
  const actions = allowed.get(name) ?? new Map<string, string[]>();
  for (const { Action, Resource } of Properties.PolicyDocument.Statement as Statement[]) {
    for (const action of list(Action) as string[]) {
      const resources = list(Resource).map((resource) => JSON.stringify(resource));
      actions.set(action, [...(actions.get(action) ?? []), ...resources]);
    }
  }
  allowed.set(name, actions);
}

const may = (action: string): string[] =>
  [...allowed].flatMap(([name, actions]) => (actions.has(action) ? [name] : [])).toSorted();
const EVERYONE = ['Authorizer', 'Beat', 'Http', 'Jobs', 'Outbox', 'Repair', 'Socket', 'Upkeep'];

test('each function has a role of its own, without policies of others', () => {
  const roles = template
    .of('AWS::Lambda::Function')
    .map(([, { Properties }]) => JSON.stringify(Properties.Role));
  assert.equal(new Set(roles).size, EVERYONE.length);
  for (const [id, { Properties }] of template.of('AWS::IAM::Role')) {
    assert.equal(Properties.ManagedPolicyArns, undefined, id);
    assert.equal(Properties.Policies, undefined, id);
  }
});

test('no permission has a wildcard in its action, and only those of no resource have all of them', () => {
  for (const [name, actions] of allowed) {
    for (const [action, resources] of actions) {
      assert.doesNotMatch(action, /\*/, name);
      if (resources.includes('"*"')) {
        const ofNoResource = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'dynamodb:ListStreams'];
        assert.ok(ofNoResource.includes(action), `${name} may ${action} everything`);
      }
    }
  }
});

test('every function may read and write the table, and none may scan, update, delete or describe it', () => {
  const actions = ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'DeleteItem', 'ConditionCheckItem'];
  for (const action of actions) assert.deepEqual(may(`dynamodb:${action}`), EVERYONE);
  const others = [...allowed.values()]
    .flatMap((of) => [...of.keys()])
    .filter((action) => {
      const [service, name] = action.split(':');
      return service === 'dynamodb' && !actions.includes(name ?? '');
    });
  assert.deepEqual([...new Set(others)].toSorted(), [
    'dynamodb:DescribeStream',
    'dynamodb:GetRecords',
    'dynamodb:GetShardIterator',
    'dynamodb:ListStreams',
  ]);
  assert.deepEqual(may('dynamodb:GetRecords'), ['Outbox']);
});

test('what goes beyond the table each has who needs it, and nobody else', () => {
  assert.deepEqual(may('execute-api:ManageConnections'), ['Beat', 'Http', 'Repair', 'Socket']);
  assert.deepEqual(may('events:PutEvents'), ['Http', 'Jobs', 'Outbox', 'Upkeep']);
  assert.deepEqual(may('s3:GetObject'), ['Http', 'Jobs', 'Upkeep']);
  assert.deepEqual(may('s3:PutObject'), ['Jobs', 'Upkeep']);
  assert.deepEqual(may('sqs:SendMessage'), ['Outbox', 'Repair']);
  assert.deepEqual(may('execute-api:Invoke'), []);
});

test('snapshots are read and written below indexes/ alone, connections of this stage alone', () => {
  for (const [, actions] of allowed) {
    for (const resource of [...(actions.get('s3:GetObject') ?? []), ...(actions.get('s3:PutObject') ?? [])]) {
      assert.match(resource, /"\/indexes\/\*"/);
    }
    for (const resource of actions.get('execute-api:ManageConnections') ?? []) {
      assert.match(resource, /"Ref":"ApisSockets[^"]*"\},"\/live\/(?:POST|DELETE)\/@connections\/\*"/);
    }
  }
});

test('buckets are closed to everybody, and refuse what is not encrypted on its way', () => {
  assert.equal(template.of('AWS::S3::Bucket').length, 2);
  for (const [id, { Properties }] of template.of('AWS::S3::Bucket')) {
    assert.deepEqual(new Set(Object.values(Properties.PublicAccessBlockConfiguration)), new Set([true]), id);
    const policy = template
      .of('AWS::S3::BucketPolicy')
      .find(([, { Properties: of }]) => of.Bucket.Ref === id)?.[1];
    assert.match(JSON.stringify(policy), /"aws:SecureTransport":"false"/, id);
  }
});
