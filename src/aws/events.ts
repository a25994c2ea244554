// What AWS hands to a function and takes from it, as far as it is used here. Shapes of the services' own documents.

/** API Gateway, HTTP API, payload format 2.0. Headers of one name come joined with commas. */
export interface HttpEvent {
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: {
    readonly stage: string;
    readonly http: { readonly method: string; readonly sourceIp: string };
  };
}

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** API Gateway, WebSocket API. */
export interface SocketEvent {
  readonly requestContext: {
    readonly routeKey: string;
    readonly connectionId: string;
    readonly messageId?: string | null;
    /** What the authorizer of `$connect` gave. */
    readonly authorizer?: Readonly<Record<string, unknown>> | null;
  };
  /** Of `$connect` alone. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

export interface SocketAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A Lambda authorizer of the type REQUEST. */
export interface AuthorizerEvent {
  readonly methodArn: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly requestContext: { readonly connectionId?: string };
}

export interface AuthorizerAnswer {
  readonly principalId: string;
  readonly policyDocument: {
    readonly Version: '2012-10-17';
    readonly Statement: readonly [
      {
        readonly Action: 'execute-api:Invoke';
        readonly Effect: 'Allow' | 'Deny';
        readonly Resource: string;
      },
    ];
  };
  /** Flat: texts, numbers and booleans. */
  readonly context?: Readonly<Record<string, string>>;
}

/** DynamoDB Streams, with keys alone. */
export interface StreamEvent {
  readonly Records: readonly {
    readonly eventName?: string;
    readonly dynamodb?: {
      readonly SequenceNumber?: string;
      readonly Keys?: Readonly<Record<string, { readonly S?: string }>>;
    };
  }[];
}

/** `ReportBatchItemFailures`: what is named comes again, and all after it. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** EventBridge, with what the outbox put into it. */
export interface BusEvent {
  readonly detail: { readonly owner: string };
}

/** EventBridge, by a schedule. */
export interface ScheduledEvent {
  /** When it was due, to the second: the function may begin at another time. */
  readonly time: string;
}

/** What a function is told of itself. */
export interface FunctionContext {
  getRemainingTimeInMillis(): number;
}
