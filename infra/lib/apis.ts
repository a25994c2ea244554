import { RemovalPolicy } from 'aws-cdk-lib';
import {
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
  WebSocketApi,
  WebSocketStage,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpJwtAuthorizer, WebSocketLambdaAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration, WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Functions } from './functions.ts';
import type { Stage } from './stage.ts';

const REQUESTS_PER_SECOND = 500;
/** Neither path nor query: both may tell what somebody looked for. The function's log has the route. */
const ACCESS_LOG = JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTimeEpoch',
  method: '$context.httpMethod',
  route: '$context.routeKey',
  status: '$context.status',
  bytes: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  error: '$context.integrationErrorMessage',
});

/**
 * The two APIs. They are made before the functions, which are told where the connections are; `connect` leads their
 * requests to the functions.
 */
export class Apis extends Construct {
  readonly http: HttpApi;
  readonly sockets: WebSocketApi;
  readonly socketStage: WebSocketStage;
  readonly #stage: Stage;

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id);
    this.#stage = stage;
    const rate = stage.requestsPerSecond ?? REQUESTS_PER_SECOND;
    const throttle = { rateLimit: rate, burstLimit: 2 * rate };
    this.http = new HttpApi(this, 'Http', { apiName: `brain2-${stage.name}`, createDefaultStage: false });
    const log = new LogGroup(this, 'HttpLog', {
      retention: stage.logDays,
      removalPolicy: stage.isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    new HttpStage(this, 'HttpStage', {
      httpApi: this.http,
      stageName: '$default',
      autoDeploy: true,
      throttle,
      accessLogSettings: {
        destination: new LogGroupLogDestination(log),
        format: AccessLogFormat.custom(ACCESS_LOG),
      },
    });
    this.sockets = new WebSocketApi(this, 'Sockets', { apiName: `brain2-${stage.name}-sockets` });
    this.socketStage = new WebSocketStage(this, 'SocketStage', {
      webSocketApi: this.sockets,
      stageName: 'live',
      autoDeploy: true,
      throttle,
    });
    acknowledge(
      this.socketStage,
      'AwsSolutions-APIG1',
      'Access logs of a WebSocket API need a role that is set for a whole account, which no stage may own. The ' +
        'function logs what it is sent.',
    );
  }

  connect(functions: Functions): void {
    this.#connectHttp(functions);
    this.#connectSockets(functions);
  }

  /**
   * The application verifies credentials itself, whichever they are. Where they are JWTs, the gateway does as well, so
   * that whoever has none costs no function: on all of `/api` but what is open to everybody.
   */
  #connectHttp({ http }: Functions): void {
    const { auth } = this.#stage;
    const integration = new HttpLambdaIntegration('Integration', http.lambda);
    const open = [
      ...this.http.addRoutes({ path: '/{proxy+}', methods: [HttpMethod.ANY], integration }),
      ...this.http.addRoutes({ path: '/', methods: [HttpMethod.ANY], integration }),
    ];
    if (auth.kind === 'jwt') {
      const authorizer = new HttpJwtAuthorizer('Jwt', auth.issuer, { jwtAudience: [auth.audience] });
      this.http.addRoutes({ path: '/api/{proxy+}', methods: [HttpMethod.ANY], integration, authorizer });
      open.push(
        ...this.http.addRoutes({ path: '/api/{proxy+}', methods: [HttpMethod.OPTIONS], integration }),
        ...this.http.addRoutes({ path: '/api/versions', methods: [HttpMethod.GET], integration }),
        ...['v1', 'v2'].flatMap((version) =>
          this.http.addRoutes({
            path: `/api/${version}/openapi.json`,
            methods: [HttpMethod.GET],
            integration,
          }),
        ),
      );
    }
    for (const route of open) {
      acknowledge(
        route,
        'AwsSolutions-APIG4',
        'The application asks for a credential on every route but health, documents and preflights (test/http/tenancy).',
      );
    }
  }

  /** `$connect` is where a gateway authorizes; a client without a ticket brings its credential in its first frame. */
  #connectSockets({ authorizer, socket }: Functions): void {
    const integration = (name: string) => new WebSocketLambdaIntegration(name, socket.lambda);
    this.sockets.addRoute('$connect', {
      integration: integration('Connect'),
      authorizer: new WebSocketLambdaAuthorizer('Ticket', authorizer.lambda, { identitySource: [] }),
    });
    for (const key of ['$disconnect', '$default']) {
      const route = this.sockets.addRoute(key, { integration: integration(key.slice(1)) });
      acknowledge(
        route,
        'AwsSolutions-APIG4',
        'A gateway authorizes at $connect alone; these are of connections that passed it.',
      );
    }
  }
}
