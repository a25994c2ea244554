import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import type { FunctionOptions } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Stage } from './stage.ts';

/** The folders that `npm run build:lambda` makes. */
export type BundleName = 'http' | 'socket' | 'outbox' | 'repair' | 'beat' | 'upkeep' | 'jobs';

/** Where a bundle is. */
export type Bundles = (name: BundleName) => string;

interface BrainFunctionProps extends Pick<
  FunctionOptions,
  'reservedConcurrentExecutions' | 'deadLetterQueue' | 'retryAttempts'
> {
  readonly stage: Stage;
  readonly bundles: Bundles;
  readonly bundle: BundleName;
  readonly handler?: 'index.handler' | 'index.authorize';
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * One function with a role of its own, which may write its own log and its traces, and nothing else until it is granted.
 */
export class BrainFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: BrainFunctionProps) {
    super(scope, id);
    const { stage, bundles, bundle, handler, memoryMb, timeoutSeconds, environment, ...options } = props;
    const logGroup = new LogGroup(this, 'Log', {
      retention: stage.logDays,
      removalPolicy: stage.isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(this.role);
    this.lambda = new LambdaFunction(this, 'Function', {
      ...options,
      description: `Brain2 ${stage.name}: ${bundle}${handler === 'index.authorize' ? ', authorizer' : ''}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(bundles(bundle)),
      handler: handler ?? 'index.handler',
      memorySize: memoryMb,
      timeout: Duration.seconds(timeoutSeconds),
      tracing: Tracing.ACTIVE,
      logGroup,
      role: this.role,
      environment: { ...environment, NODE_OPTIONS: '--enable-source-maps' },
    });
    acknowledge(
      this.role,
      'AwsSolutions-IAM5',
      'X-Ray takes traces under no resource: its two write actions can be granted on * alone.',
      ['Resource::*'],
    );
  }

  /** Lets it do `actions` on `resources`. Where one has a wildcard, `because` says why, to cdk-nag as well. */
  allow(actions: readonly string[], resources: readonly string[], because?: string): void {
    this.role.addToPrincipalPolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }));
    if (because !== undefined) this.acknowledgeResources(resources, because);
  }

  acknowledgeResources(resources: readonly string[], because: string): void {
    const stack = Stack.of(this);
    const findings = resources.map((resource) => `Resource::${flat(stack.resolve(resource))}`);
    acknowledge(this.role, 'AwsSolutions-IAM5', because, findings);
  }
}

/** An ARN as cdk-nag writes it: references by their logical names in angle brackets. */
function flat(resolved: unknown): string {
  if (typeof resolved === 'string') return resolved;
  const {
    'Fn::Join': join,
    'Fn::GetAtt': attribute,
    Ref: ref,
  } = resolved as {
    readonly 'Fn::Join'?: readonly [string, readonly unknown[]];
    readonly 'Fn::GetAtt'?: readonly string[];
    readonly Ref?: string;
  };
  if (join) return join[1].map(flat).join(join[0]);
  return `<${ref ?? attribute?.join('.') ?? ''}>`;
}
