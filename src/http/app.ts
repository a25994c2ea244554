import { isUtf8 } from 'node:buffer';
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { BrainError } from '../domain/error.ts';
import type { Services } from '../services/services.ts';
import type { Log } from '../shared/log.ts';
import { inContextOf, logAnswer, openContext, useContext } from './context.ts';
import { cursors } from './cursor.ts';
import { answerError, answerUnknown } from './errors.ts';
import { healthRoutes, type HealthChecks } from './health.ts';
import { collectReplacements, type Replacement } from './successors.ts';
import { countCalls } from './usage.ts';
import { v1Routes } from './v1/routes.ts';
import { v2Routes } from './v2/routes.ts';
import { useStrictValidation } from './validation.ts';
import { routeVersion, tellVersion, useVersions } from './version-headers.ts';
import { versionList } from './version-list.ts';
import { prefixOf, supportedOf, versionNumbered, VERSIONS } from './versions.ts';

export interface AppNeeds {
  readonly services: Services;
  readonly log: Log;
  readonly newId: () => string;
  readonly checks: HealthChecks;
  readonly version: string;
  /** Signs cursors; 32 bytes that stay the same between starts. */
  readonly cursorKey: Uint8Array;
}

const BODY_BYTES = 1024 * 1024;
/** An import is one long request; a slow sender of headers is cut off by Node's own limit. */
const REQUEST_TIMEOUT_MS = 600_000;

/** The HTTP application, without a socket: a server listens with it, a test or a command calls it in process. */
export async function createApp(needs: AppNeeds): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = needs.log;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }), // useContext logs each request once
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    rewriteUrl: (raw) => routeVersion(raw),
    // A path that cannot be decoded reaches no hook.
    frameworkErrors(error, request, reply) {
      openContext(request, reply, needs.newId());
      tellVersion(request, reply);
      answerError(error, request, reply);
      inContextOf(request, () => logAnswer(needs.log, request, reply));
    },
  });
  // Presenters name every field, so nothing is to be cut out; compiling a serializer a route took 75 ms of each start.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  useStrictValidation(app);
  useContext(app, needs);
  useVersions(app);
  app.setErrorHandler(answerError);
  answerUnknown(app);
  takeJsonAlone(app);
  healthRoutes(app, needs);
  versionList(app);
  await versionRoutes(app, needs);
  return app;
}

const ROUTES: { readonly [version: number]: typeof v1Routes | typeof v2Routes } = {
  1: v1Routes,
  2: v2Routes,
};

/** The routes of every version that is served, each under its own path. */
async function versionRoutes(app: FastifyInstance, { services, cursorKey }: AppNeeds): Promise<void> {
  const replacements = new Map<string, Replacement>();
  const shared = { services, cursors: cursors(cursorKey), replacements };
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

/** Bodies are JSON in UTF-8: text of another encoding is refused, and not stored with its letters replaced. */
function takeJsonAlone(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    (request, body, done) => {
      const bytes = body as Buffer;
      if (isUtf8(bytes)) void parse(request, bytes.toString('utf8'), done);
      else done(new BrainError('malformed', 'the body is not UTF-8', { operation: 'http.parse' }));
    },
  );
}
