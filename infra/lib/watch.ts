import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmWidget,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  Metric,
  TreatMissingData,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Apis } from './apis.ts';
import type { Events } from './events.ts';
import type { Functions } from './functions.ts';
import type { Stage } from './stage.ts';
import type { Storage } from './storage.ts';

interface WatchProps {
  readonly stage: Stage;
  readonly storage: Storage;
  readonly events: Events;
  readonly apis: Apis;
  readonly functions: Functions;
}

interface Concern {
  readonly id: string;
  readonly says: string;
  readonly metric: IMetric;
  readonly above: number;
  /** Periods in a row; 1. */
  readonly periods?: number;
}

const FIVE_MINUTES = Duration.minutes(5);
const SUM = { statistic: 'Sum', period: FIVE_MINUTES };

/** What somebody is told of, and the one page on which all of it is seen. */
export class Watch extends Construct {
  constructor(scope: Construct, id: string, props: WatchProps) {
    super(scope, id);
    const { stage } = props;
    const topic = new Topic(this, 'Alarms', { enforceSSL: true });
    if (stage.alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(stage.alarmEmail));
    const alarms = concernsOf(props).map(({ id, says, metric, above, periods = 1 }) => {
      const alarm = new Alarm(this, id, {
        alarmDescription: `Brain2 ${stage.name}: ${says}. See docs/guides/aws.md, Alarms.`,
        metric,
        threshold: above,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: periods,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(new SnsAction(topic));
      return alarm;
    });
    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: `brain2-${stage.name}-${Stack.of(this).region}`,
    });
    dashboard.addWidgets(...graphsOf(props));
    dashboard.addWidgets(...alarms.map((alarm) => new AlarmWidget({ alarm, width: 8, height: 4 })));
  }
}

function throttled({ table }: Storage, direction: 'Read' | 'Write'): Metric {
  return new Metric({
    namespace: 'AWS/DynamoDB',
    metricName: `${direction}ThrottleEvents`,
    dimensionsMap: { TableName: table.tableName },
    ...SUM,
  });
}

function concernsOf({ storage, events, apis, functions }: WatchProps): readonly Concern[] {
  const { http, outbox } = functions;
  return [
    { id: 'Failures', says: 'requests fail (5xx)', metric: apis.http.metricServerError(SUM), above: 5 },
    {
      id: 'Slow',
      says: 'one request in a hundred takes longer than 3 s',
      metric: apis.http.metricLatency({ statistic: 'p99', period: FIVE_MINUTES }),
      above: 3_000,
      periods: 3,
    },
    ...functions.all.map((fn): Concern => ({
      id: `${fn.node.id}Errors`,
      says: `the function ${fn.node.id} fails`,
      metric: fn.lambda.metricErrors(SUM),
      above: 0,
      periods: 2,
    })),
    {
      id: 'HttpThrottled',
      says: 'requests find no function free: raise the concurrency of the account',
      metric: http.lambda.metricThrottles(SUM),
      above: 0,
    },
    {
      id: 'OutboxBehind',
      says: 'events wait for more than a minute for the bus',
      metric: outbox.lambda.metric('IteratorAge', { statistic: 'Maximum', period: FIVE_MINUTES }),
      above: 60_000,
    },
    ...events.letters.map((queue): Concern => ({
      id: `${queue.node.id}Arrived`,
      says: `there is something in ${queue.node.id}`,
      metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: FIVE_MINUTES }),
      above: 0,
    })),
    ...(['Read', 'Write'] as const).map((direction): Concern => ({
      id: `Table${direction}sThrottled`,
      says: `the table turns ${direction.toLowerCase()}s away`,
      metric: throttled(storage, direction),
      above: 20,
      periods: 2,
    })),
  ];
}

function graphsOf({ storage, apis, functions }: WatchProps): readonly GraphWidget[] {
  const percentiles = ['p50', 'p99'].map((statistic) =>
    apis.http.metricLatency({ statistic, period: FIVE_MINUTES }),
  );
  const consumed = (['Read', 'Write'] as const).map(
    (direction) =>
      new Metric({
        namespace: 'AWS/DynamoDB',
        metricName: `Consumed${direction}CapacityUnits`,
        dimensionsMap: { TableName: storage.table.tableName },
        ...SUM,
      }),
  );
  const all = functions.all.map(({ lambda }) => lambda);
  const graphs: readonly (readonly [string, readonly IMetric[]])[] = [
    [
      'Requests',
      [apis.http.metricCount(SUM), apis.http.metricClientError(SUM), apis.http.metricServerError(SUM)],
    ],
    ['Latency', percentiles],
    ['Functions: errors', all.map((fn) => fn.metricErrors(SUM))],
    [
      'Functions: runs at once',
      all.map((fn) => fn.metric('ConcurrentExecutions', { statistic: 'Maximum', period: FIVE_MINUTES })),
    ],
    [
      'Functions: duration, p99',
      all.map((fn) => fn.metricDuration({ statistic: 'p99', period: FIVE_MINUTES })),
    ],
    ['Table: units', consumed],
  ];
  return graphs.map(([title, left]) => new GraphWidget({ title, left: [...left], width: 8, height: 6 }));
}
