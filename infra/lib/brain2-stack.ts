import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Apis } from './apis.ts';
import type { Bundles } from './brain-function.ts';
import { Events } from './events.ts';
import { Functions } from './functions.ts';
import { Site } from './site.ts';
import type { Stage } from './stage.ts';
import { Storage } from './storage.ts';
import { Watch } from './watch.ts';

interface Brain2StackProps extends StackProps {
  readonly stage: Stage;
  readonly bundles: Bundles;
}

/** One stage of Brain2, whole. */
export class Brain2Stack extends Stack {
  constructor(scope: Construct, id: string, { stage, bundles, ...props }: Brain2StackProps) {
    super(scope, id, { ...props, terminationProtection: stage.isProtected });
    const storage = new Storage(this, 'Storage', stage);
    const events = new Events(this, 'Events', stage);
    const apis = new Apis(this, 'Apis', stage);
    const site = new Site(this, 'Site', { stage, apis });
    const functions = new Functions(this, 'Functions', {
      stage,
      bundles,
      storage,
      events,
      sockets: apis.socketStage,
      origin: site.origin,
    });
    apis.connect(functions);
    new Watch(this, 'Watch', { stage, storage, events, apis, functions });
    const outputs = {
      Url: site.origin,
      TableName: storage.table.tableName,
      EventBusName: events.bus.eventBusName,
      PageBucket: site.bucket.bucketName,
      DistributionId: site.distribution.distributionId,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
