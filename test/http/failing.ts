import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import { createApp } from '../../src/http/app.ts';
import type { TimeLimits } from '../../src/http/timeouts.ts';
import type { RealtimeNeeds } from '../../src/http/v2/realtime.ts';
import type { Services } from '../../src/services/services.ts';
import { createLog } from '../../src/shared/log.ts';
import { uuidv7Generator } from '../../src/shared/uuid.ts';
import { LOCAL_ACCESS } from './client.ts';

interface Line {
  readonly msg: string;
  readonly level: string;
  readonly correlationId: string;
  readonly requestId: string;
  readonly code?: string;
  readonly status?: number;
  readonly err?: { readonly type: string; readonly message: string };
}

/** The application without services, with routes that fail, on a socket; and what it logs. */
export async function failing(
  routes: (app: FastifyInstance) => void,
  options: { readonly limits?: TimeLimits; readonly showsInside?: boolean } = {},
) {
  const written: string[] = [];
  let arrived = Promise.withResolvers<void>();
  const sink = {
    write(line: string) {
      written.push(line);
      arrived.resolve();
      arrived = Promise.withResolvers();
    },
  };
  const app = await createApp({
    services: {} as Services, // no route that needs them is called
    log: createLog({ level: 'trace', format: 'json' }, sink),
    newId: uuidv7Generator(Date.now),
    checks: {},
    version: '1.2.3',
    cursorKey: randomBytes(32),
    access: LOCAL_ACCESS,
    realtime: {} as RealtimeNeeds,
    ...options,
  });
  routes(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  const lines = () => written.map((line) => JSON.parse(line) as Line);
  return {
    app,
    url,
    written,
    lines,
    /** The first line that is so, now or later. */
    async line(is: (line: Line) => boolean): Promise<Line> {
      for (;;) {
        const found = lines().find(is);
        if (found) return found;
        await arrived.promise;
      }
    },
  };
}
