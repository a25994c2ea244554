import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operationsOf, type Located, type OpenApi } from '../../src/http/openapi/open-api.ts';
import { CONTRACTS, pathOf } from '../contract/documents.ts';
import { newBrain, type Client } from '../http/client.ts';
import { judgeOf } from './answers.ts';
import { bind, fill } from './pools.ts';
import { requestsFor, type FuzzRequest } from './requests.ts';
import { inProcess, overSockets, type Send } from './send.ts';

// Requests made of the documents: as described, with one thing wrong, or hostile. BRAIN2_TEST_FUZZ is how many in all,
// BRAIN2_TEST_SEED which; a failure names the seed and the request. BRAIN2_TEST_SHRINK=1 looks for a smaller one.
const TOTAL = Number(process.env['BRAIN2_TEST_FUZZ'] ?? 20_000);
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

const ALL: readonly Target[] = CONTRACTS.flatMap(({ api }) => {
  const document = JSON.parse(readFileSync(pathOf(api.version), 'utf8')) as OpenApi;
  return operationsOf(document).map((one) => ({
    name: `v${api.version} ${one.operation.operationId}`,
    document,
    one,
  }));
});
const EACH = Math.ceil(TOTAL / ALL.length);

interface Fuzz {
  readonly document: OpenApi;
  readonly one: Located;
  readonly runs: number;
  readonly send: Send;
}

/** Sends that many, and gives how often each status was answered. */
async function fuzz(
  client: Client,
  { document, one, runs, send }: Fuzz,
): Promise<ReadonlyMap<number, number>> {
  const { wrongWith } = judgeOf(document);
  const statuses = new Map<number, number>();
  let pools = await fill(client);
  let sent = 0;
  const property = fc.asyncProperty(requestsFor(document, one), async (generated) => {
    if (sent++ % LOOK_EVERY === 0) pools = await fill(client);
    const { body } = generated;
    const request = {
      ...generated,
      path: bind(generated.path, pools),
      body: typeof body === 'string' ? bind(body, pools) : body,
    };
    const before = await seqOf(client);
    const answer = await send(request);
    const hasStored = (await seqOf(client)) !== before;
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const { pathname } = new URL(request.path, 'http://localhost');
    const wrong =
      wrongWith(request.method, pathname, answer) ??
      (answer.status >= 400 && hasStored ? 'it was refused, and something was stored' : undefined);
    if (wrong !== undefined)
      throw new Error(`${wrong}\n${wordsOf(request)}\n${answer.status} ${answer.text.slice(0, 500)}`);
  });
  await fc.assert(property, { numRuns: runs, seed: SEED, endOnFailure: !SHRINKS });
  return statuses;
}

const seqOf = async ({ brain }: Client): Promise<number> =>
  (await brain.services.graph.counts(brain.owner)).position.seq;

const wordsOf = ({ method, path, headers, body }: FuzzRequest): string =>
  `${method} ${path.slice(0, 300)}\n${JSON.stringify(headers)}\n${String(body).slice(0, 1000)}`;

/** The tests of one version; each has a file of its own, so that they run side by side. */
export function fuzzVersion(version: number): void {
  const targets = ALL.filter(({ name }) => name.startsWith(`v${version} `));

  describe(`${EACH} requests of each operation, seed ${SEED}: no 5xx, answers as described, nothing stored by a refusal`, () => {
    it.each(targets)('$name', async ({ document, one }) => {
      const client = await newBrain();
      const answered = await fuzz(client, { document, one, runs: EACH, send: inProcess(client) });
      const statuses = [...answered.keys()];
      // A fuzz that only ever is refused, or never is where something can be wrong, proves little.
      const isFixed = !one.path.includes('{') && one.operation.requestBody === undefined;
      expect(statuses.some((status) => status < 400)).toBe(true);
      expect(isFixed || statuses.some((status) => status >= 400)).toBe(true);
    });
  });

  it(`${SAMPLE} of each operation of v${version} over sockets, too`, async () => {
    const client = await newBrain();
    const url = await client.brain.app.listen({ host: '127.0.0.1', port: 0 });
    const send = overSockets(url);
    for (const { name, document, one } of targets) {
      const statuses = await fuzz(client, { document, one, runs: SAMPLE, send });
      expect([name, statuses.size > 0]).toEqual([name, true]);
    }
  });
}
