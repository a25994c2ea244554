import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Stage } from './stage.ts';

/** What the repositories ask of a table. A transaction is made of these; nothing scans, updates or administers. */
const TABLE_ACTIONS = [
  'dynamodb:GetItem',
  'dynamodb:BatchGetItem',
  'dynamodb:Query',
  'dynamodb:PutItem',
  'dynamodb:DeleteItem',
  'dynamodb:ConditionCheckItem',
];

/** Indexes of owners that did not come for so long are built anew from the table. */
const SNAPSHOT_DAYS = 90;

/** The table, which is all that must not be lost, and the snapshots of link indexes, which can be. */
export class Storage extends Construct {
  readonly table: Table;
  readonly snapshots: Bucket;

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id);
    const removalPolicy = stage.isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.table = new Table(this, 'Table', {
      tableName: `brain2-${stage.name}`,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'ttl',
      stream: StreamViewType.KEYS_ONLY,
      deletionProtection: stage.isProtected,
      ...(stage.mostWriteUnits !== undefined && { maxWriteRequestUnits: stage.mostWriteUnits }),
      removalPolicy,
    });
    this.snapshots = new Bucket(this, 'Snapshots', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [
        { expiration: Duration.days(SNAPSHOT_DAYS), abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      removalPolicy,
    });
    acknowledge(
      this.snapshots,
      'AwsSolutions-S1',
      'It holds copies that are made anew from the table; two functions alone may read them, and are traced.',
    );
  }

  grantTable(to: IGrantable): void {
    to.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: TABLE_ACTIONS, resources: [this.table.tableArn] }),
    );
  }

  /** To the indexes alone. Without `ListBucket` one that is not there would look like one that is forbidden. */
  grantSnapshots(to: IGrantable, actions: readonly ('s3:GetObject' | 's3:PutObject')[]): void {
    const indexes = this.snapshots.arnForObjects('indexes/*');
    for (const statement of [
      new PolicyStatement({ actions: [...actions], resources: [indexes] }),
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [this.snapshots.bucketArn] }),
    ]) {
      to.grantPrincipal.addToPrincipalPolicy(statement);
    }
  }
}
