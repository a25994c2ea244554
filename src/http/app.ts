import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { BrainError } from '../domain/error.ts';
import type { Authenticate } from '../services/principal.ts';
import type { Services } from '../services/services.ts';
import { useAdmission, type Admission } from './admission.ts';
import { useAuthentication } from './auth/authentication.ts';
import { useLocalGuard } from './auth/local.ts';
import { answerClientErrors } from './client-errors.ts';
import { logAnswer, openContext, useContext, type ContextNeeds } from './context.ts';
import { cursors } from './cursor.ts';
import { documentRoutes } from './docs/routes.ts';
import { useDraining } from './draining.ts';
import { answerError, problemOf } from './errors.ts';
import { healthRoutes, type HealthChecks } from './health.ts';
import { idempotency } from './idempotency.ts';
import { takeJsonAlone } from './json-body.ts';
import { metricsRoute, type Exposition } from './metrics.ts';
import { useRouteTable } from './route-table.ts';
import { useTimeouts, type TimeLimits } from './timeouts.ts';
import { collectReplacements, type Replacement } from './successors.ts';
import { countCalls } from './usage.ts';
import { v1Routes } from './v1/routes.ts';
import { useRateLimits, type RateLimits } from './rate-limit.ts';
import { useCors, useSecurityHeaders } from './security-headers.ts';
import type { RealtimeNeeds } from './v2/realtime.ts';
import { v2Routes } from './v2/routes.ts';
import { useStrictValidation } from './validation.ts';
import { refuseVersions, routeVersion, tellVersion, useVersions } from './version-headers.ts';
import { versionList } from './version-list.ts';
import { prefixOf, supportedOf, versionNumbered, VERSIONS } from './versions.ts';

/** Whom the application serves, and how much. */
export interface Access {
  readonly authenticate: Authenticate;
  /** Nobody is asked who they are: only this machine's own programs and pages are let in. */
  readonly isLocal: boolean;
  readonly allowedOrigins: readonly string[];
  /** Addresses of proxies whose forwarding headers are believed. */
  readonly trustProxy: readonly string[];
  readonly rateLimits?: RateLimits | undefined;
}

export interface AppNeeds extends ContextNeeds {
  readonly services: Services;
  readonly checks: HealthChecks;
  readonly exposition?: Exposition | undefined;
  readonly version: string;
  /** Signs cursors; 32 bytes that stay the same between starts. */
  readonly cursorKey: Uint8Array;
  /** In development: problems tell what went wrong inside. */
  readonly showsInside?: boolean | undefined;
  /** Of ordinary requests; 15 s to come in, 10 s until the answer begins. */
  readonly limits?: TimeLimits | undefined;
  readonly access: Access;
  /** The gates of requests, to be counted from outside. */
  readonly admission?: Admission | undefined;
  readonly realtime: RealtimeNeeds;
}

const BODY_BYTES = 1024 * 1024;
/** An import is one long request; `useTimeouts` bounds all others. */
const LONGEST_REQUEST_MS = 3_600_000;
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTION_CHECK_MS = 5_000;
const HEADER_BYTES = 16 * 1024;
const URL_LENGTH = 4 * 1024;
/** Each takes a file descriptor and some memory, whoever holds it. */
const CONNECTIONS = 5_000;

/** The HTTP application, without a socket: a server listens with it, a test or a command calls it in process. */
export async function createApp(needs: AppNeeds): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = needs.log;
  const app = fastify({
    loggerInstance,
    logController: quietLogging(),
    // A log of each request, to which useContext gives the ids; pino's own way to make one costs as much as a route.
    childLoggerFactory: (log) => Object.create(log) as FastifyBaseLogger,
    bodyLimit: BODY_BYTES,
    trustProxy: needs.access.trustProxy.length > 0 && [...needs.access.trustProxy],
    requestTimeout: LONGEST_REQUEST_MS,
    http: {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTION_CHECK_MS,
    },
    clientErrorHandler: answerClientErrors(needs),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    rewriteUrl: (raw) => routeVersion(raw),
    // A path that cannot be decoded reaches no hook.
    frameworkErrors(error, request, reply) {
      openContext(request, reply, needs);
      tellVersion(request, reply);
      answerError(error, request, reply);
      logAnswer(needs, request);
    },
  });
  // Presenters name every field, so nothing is to be cut out; compiling a serializer a route took 75 ms of each start.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  useStrictValidation(app);
  app.decorate('showsInside', needs.showsInside === true);
  useContext(app, needs);
  useSecurityHeaders(app);
  useDraining(app);
  useTimeouts(app, needs.limits);
  useVersions(app);
  await useSafety(app, needs);
  app.setErrorHandler(answerError);
  useRouteTable(app);
  takeJsonAlone(app);
  healthRoutes(app, needs);
  if (needs.exposition) metricsRoute(app, needs.exposition);
  versionList(app);
  await versionRoutes(app, needs);
  documentRoutes(app);
  return app;
}

const ROUTES: { readonly [version: number]: typeof v1Routes | typeof v2Routes } = {
  1: v1Routes,
  2: v2Routes,
};

/** The routes of every version that is served, each under its own path. */
async function versionRoutes(app: FastifyInstance, needs: AppNeeds): Promise<void> {
  const { services, cursorKey, realtime } = needs;
  const replacements = new Map<string, Replacement>();
  const once = idempotency(services.receipts);
  const shared = { services, cursors: cursors(cursorKey), replacements, once, realtime };
  for (const version of supportedOf(VERSIONS)) {
    const routes = ROUTES[version.number];
    if (!routes) throw new Error(`v${version.number} is served and has no routes`);
    await app.register(
      async (scope) => {
        const next = versionNumbered(version.successor);
        if (version.status === 'deprecated' && next) {
          collectReplacements(scope, { version, next, into: replacements });
          countCalls(scope, services.deprecatedCalls);
        }
        await scope.register(routes(shared));
      },
      { prefix: prefixOf(version) },
    );
  }
}

/** `useContext` logs each request once; what fails while it is sent goes the way of all errors. */
function quietLogging(): LogController {
  const control = new LogController({ disableRequestLogging: true });
  control.streamError = (error, request) => {
    // A caller who went away is told of as that.
    if (!('code' in error) || error.code !== 'ERR_STREAM_PREMATURE_CLOSE') problemOf(error, request);
  };
  return control;
}

/** What every request goes through before its route, in this order: the cheapest refusals first. */
async function useSafety(app: FastifyInstance, { access, admission }: AppNeeds): Promise<void> {
  app.server.maxConnections = CONNECTIONS;
  app.addHook('onRequest', (request, _reply, done) => {
    const tooLong = (request.raw.url ?? '').length > URL_LENGTH;
    done(tooLong ? new BrainError('url_too_long', `a URL has at most ${URL_LENGTH} characters`) : undefined);
  });
  useAdmission(app, admission);
  if (access.isLocal) useLocalGuard(app, access.allowedOrigins);
  await useCors(app, access.allowedOrigins);
  refuseVersions(app);
  useAuthentication(app, access.authenticate);
  if (access.rateLimits) useRateLimits(app, access.rateLimits);
}
