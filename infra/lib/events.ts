import { Duration } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Stage } from './stage.ts';

/** The bus that every committed event goes to, and the queues of what could not be handed on. */
export class Events extends Construct {
  readonly bus: EventBus;
  /** Places of the stream whose events the bus did not take for a day; upkeep sends them all the same. */
  readonly outboxLetters: Queue;
  /** Events that repair was not given, or failed at. Their clients find them in the log. */
  readonly repairLetters: Queue;

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id);
    this.bus = new EventBus(this, 'Bus', { eventBusName: `brain2-${stage.name}` });
    this.outboxLetters = this.#letters('OutboxLetters');
    acknowledge(
      this.outboxLetters,
      'AwsSolutions-SQS3',
      'It is a dead-letter queue itself, of a stream, which cdk-nag does not look at.',
    );
    this.repairLetters = this.#letters('RepairLetters');
  }

  get letters(): readonly Queue[] {
    return [this.outboxLetters, this.repairLetters];
  }

  #letters(id: string): Queue {
    const queue = new Queue(this, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    return queue;
  }
}
