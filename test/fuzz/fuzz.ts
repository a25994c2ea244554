import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { operationsOf, type Located, type OpenApi, type Operation } from '../../src/http/openapi/open-api.ts';
import { documentOf } from '../contract/committed.ts';
import { CONTRACTS } from '../contract/documents.ts';
import { judgeOf } from '../contract/judge.ts';
import { dataFolder, newBrain, type Client } from '../http/client.ts';
import { localOwner, newOwner, type Caller, type Owned } from './callers.ts';
import { bind, fill } from './pools.ts';
import { requestsFor, type FuzzRequest } from './requests.ts';
import { inProcess, overSockets, type Send } from './send.ts';

// Requests made of the documents: as described, with one thing wrong, or hostile. BRAIN2_TEST_FUZZ is how many in all,
// BRAIN2_TEST_SEED which; a failure names the seed and the request. BRAIN2_TEST_SHRINK=1 looks for a smaller one.
const TOTAL = Number(process.env['BRAIN2_TEST_FUZZ'] ?? 3_000);
const SEED = Number(process.env['BRAIN2_TEST_SEED'] ?? 20_260_105);
const SHRINKS = process.env['BRAIN2_TEST_SHRINK'] !== undefined;
/** Requests between two looks at what is there. */
const LOOK_EVERY = 20;
/** Over sockets, of each operation. */
const SAMPLE = 12;

interface Target {
  readonly name: string;
  readonly document: OpenApi;
  readonly one: Located;
}

const isStream = ({ responses }: Operation): boolean =>
  Object.values(responses).some((one) => 'content' in one && 'text/event-stream' in (one.content ?? {}));

const ALL: readonly Target[] = CONTRACTS.flatMap(({ api }) => {
  const document = documentOf(api.version);
  // A stream does not end, so nothing could be said of its answer.
  const ending = operationsOf(document).filter(({ operation }) => !isStream(operation));
  return ending.map((one) => ({
    name: `v${api.version} ${one.operation.operationId}`,
    document,
    one,
  }));
});
const EACH = Math.ceil(TOTAL / ALL.length);

interface Fuzz {
  readonly client: Client;
  readonly of: Owned;
  readonly document: OpenApi;
  readonly one: Located;
  readonly runs: number;
  readonly send: Send;
}

/** Sends that many, and gives how often each status was answered. */
async function fuzz({ client, of, document, one, runs, send }: Fuzz): Promise<ReadonlyMap<number, number>> {
  const { wrongWith } = judgeOf(document);
  const scope = one.operation.security?.[0]?.['bearer']?.[0];
  const statuses = new Map<number, number>();
  let pools = await fill(of);
  let state = await stateOf(client, of);
  let sent = 0;
  const property = fc.asyncProperty(requestsFor(document, one), of.callers, async (generated, caller) => {
    if (++sent % LOOK_EVERY === 0) {
      pools = await fill(of);
      state = await stateOf(client, of);
    }
    const { body } = generated;
    const request = {
      ...generated,
      headers: { ...caller.headers, ...generated.headers },
      path: bind(generated.path, pools),
      body: typeof body === 'string' ? bind(body, pools) : body,
    };
    const before = state;
    const answer = await send(request);
    state = await stateOf(client, of);
    const hasStored = state !== before;
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const { pathname } = new URL(request.path, 'http://localhost');
    const wrong =
      (answer.status >= 500 ? 'it broke' : undefined) ??
      wrongWith(request.method, pathname, answer) ??
      (hasStored && answer.status >= 400 ? 'it was refused, and something was stored' : undefined) ??
      (hasStored && caller.may !== 'everything' ? 'it may not change anything, and did' : undefined) ??
      (answer.status < 400 && !isLetIn(caller, scope) ? 'it may not call this, and was answered' : undefined);
    if (wrong !== undefined)
      throw new Error(
        `${one.operation.operationId} by ${caller.name}: ${wrong}\n${wordsOf(request)}\n${answer.status} ${answer.text.slice(0, 500)}`,
      );
  });
  await fc.assert(property, { numRuns: runs, seed: SEED, endOnFailure: !SHRINKS });
  return statuses;
}

/** A foreigner is let in, to what is theirs. */
const isLetIn = ({ name, may }: Caller, scope: string | undefined): boolean =>
  may === 'everything' || name === 'foreigner' || (may === 'read' && scope === 'read');

/** What tells whether anything of the owner was stored, once the jobs that were let in are over. */
async function stateOf({ brain: { services } }: Client, { owner }: Owned): Promise<string> {
  await services.jobs.idle();
  const { position } = await services.graph.counts(owner);
  const tokens = await services.tokens.list(owner);
  return JSON.stringify([position.seq, tokens.map(({ id }) => id)]);
}

const wordsOf = ({ method, path, headers, body }: FuzzRequest): string =>
  `${method} ${path.slice(0, 300)}\n${JSON.stringify(headers)}\n${String(body).slice(0, 1000)}`;

/** Of 20,000 requests, on a machine that is busy. */
const TIMEOUT_MS = 20 * 60_000;

/** The tests of one version; each has a file of its own, so that they run side by side. */
export function fuzzVersion(version: number): void {
  const targets = ALL.filter(({ name }) => name.startsWith(`v${version} `));

  it(
    `${EACH} requests of each operation of v${version}, seed ${SEED}, by whoever calls: no 5xx, answers as described, nothing stored by a refusal`,
    async () => {
      const client = await newBrain(dataFolder(), { settings: { auth: 'token', rateLimit: 'off' } });
      for (const { name, document, one } of targets) {
        const of = await newOwner(client, name.replace(' ', '-')); // so that no graph gets large
        const answered = await fuzz({ client, of, document, one, runs: EACH, send: inProcess(client) });
        const statuses = [...answered.keys()];
        // A fuzz that only ever is refused, or never is, proves little.
        expect([name, statuses.some((status) => status < 400)]).toEqual([name, true]);
        expect([name, statuses.some((status) => status >= 400)]).toEqual([name, true]);
      }
    },
    TIMEOUT_MS,
  );

  it(`${SAMPLE} of each operation of v${version} over sockets, where nobody is asked who they are`, async () => {
    const client = await newBrain();
    const of = localOwner(client);
    const send = overSockets(await client.brain.app.listen({ host: '127.0.0.1', port: 0 }));
    for (const { name, document, one } of targets) {
      const statuses = await fuzz({ client, of, document, one, runs: SAMPLE, send });
      expect([name, statuses.size > 0]).toEqual([name, true]);
    }
  });
}
