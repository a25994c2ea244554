import { Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  Function as EdgeFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  OriginRequestPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
  type BehaviorOptions,
  type IOrigin,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Apis } from './apis.ts';
import type { Stage } from './stage.ts';

/** What the functions answer; everything else is of the page. */
const OF_THE_APPLICATION = ['/api/*', '/docs*', '/health*', '/livez', '/readyz'];

/** A socket is at `/ws` for clients and at the root of its stage for the gateway. */
const TO_ROOT = "function handler(event) { event.request.uri = '/'; return event.request; }";

/** One domain: the page from a bucket that nobody else reads, and the two APIs behind it. */
export class Site extends Construct {
  readonly bucket: Bucket;
  readonly distribution: Distribution;
  /** Such as `https://brain.example`. */
  readonly origin: string;

  constructor(scope: Construct, id: string, { stage, apis }: { readonly stage: Stage; readonly apis: Apis }) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Page', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: stage.isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const { domain } = stage;
    this.distribution = new Distribution(this, 'Distribution', {
      comment: `Brain2 ${stage.name}`,
      defaultRootObject: 'index.html',
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      ...(domain && {
        domainNames: [domain.name],
        certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
        minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      }),
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(this.bucket),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cachePolicy: CachePolicy.CACHING_OPTIMIZED,
        responseHeadersPolicy: this.#pageHeaders(),
        compress: true,
      },
      additionalBehaviors: this.#toApis(apis),
    });
    this.origin = `https://${domain?.name ?? this.distribution.distributionDomainName}`;
    this.#acknowledge(stage);
  }

  #toApis({ http, sockets, socketStage }: Apis): Record<string, BehaviorOptions> {
    const passed = {
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: AllowedMethods.ALLOW_ALL,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
    };
    const application: BehaviorOptions = { ...passed, origin: originOf(http.apiEndpoint), compress: true };
    const socket: BehaviorOptions = {
      ...passed,
      origin: originOf(sockets.apiEndpoint, `/${socketStage.stageName}`),
      functionAssociations: [
        {
          eventType: FunctionEventType.VIEWER_REQUEST,
          function: new EdgeFunction(this, 'ToRoot', {
            code: FunctionCode.fromInline(TO_ROOT),
            runtime: FunctionRuntime.JS_2_0,
          }),
        },
      ],
    };
    return { ...Object.fromEntries(OF_THE_APPLICATION.map((path) => [path, application])), '/ws': socket };
  }

  /** Of the page; the application's answers bring their own. */
  #pageHeaders(): ResponseHeadersPolicy {
    const self = "'self'";
    return new ResponseHeadersPolicy(this, 'Headers', {
      securityHeadersBehavior: {
        contentSecurityPolicy: {
          contentSecurityPolicy: `default-src 'none'; script-src ${self}; style-src ${self}; connect-src ${self}; img-src ${self}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
          override: true,
        },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: {
          accessControlMaxAge: Duration.days(365),
          includeSubdomains: false,
          override: true,
        },
      },
    });
  }

  #acknowledge({ domain }: Stage): void {
    acknowledge(
      this.bucket,
      'AwsSolutions-S1',
      'It holds the page, which is public, and CloudFront alone reads it.',
    );
    const reasons: Readonly<Record<string, string>> = {
      'AwsSolutions-CFR1': 'Notes are written everywhere.',
      'AwsSolutions-CFR2':
        'A web ACL costs more a month than everything else of a small stage; the APIs are throttled, the application ' +
        'limits each owner. The guide says how to add one.',
      'AwsSolutions-CFR3':
        'Its logs have whole queries in them, which are what people search for; no log of Brain2 has that.',
      ...(!domain && {
        'AwsSolutions-CFR4': 'Only with a domain of its own can a distribution ask for TLS 1.2.',
      }),
    };
    for (const [rule, reason] of Object.entries(reasons)) acknowledge(this.distribution, rule, reason);
  }
}

/** The host of an API's endpoint, which is `https://host` or `wss://host`. */
function originOf(endpoint: string, originPath = ''): IOrigin {
  return new HttpOrigin(Fn.select(2, Fn.split('/', endpoint)), { originPath });
}
