import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTRACTS, pathOf } from '../contract/documents.ts';
import { operationsOf, type OpenApi } from '../../src/http/openapi/open-api.ts';
import { newBrain, type Client } from '../http/client.ts';
import { judgeOf, type FuzzAnswer } from './answers.ts';
import { bind, fill } from './pools.ts';
import { requestsFor, type FuzzRequest } from './requests.ts';

// Requests made of the documents: as described, with one thing wrong, or hostile. BRAIN2_TEST_FUZZ is how many in all,
// BRAIN2_TEST_SEED which; a failure prints both and the smallest request that shows it.
const TOTAL = Number(process.env['BRAIN2_TEST_FUZZ'] ?? 20_000);
const SEED = Number(process.env['BRAIN2_TEST_SEED'] ?? 20_260_105);
/** Requests between two looks at what is there. */
const LOOK_EVERY = 25;

const DOCUMENTS = CONTRACTS.map(({ api }) => {
  const document = JSON.parse(readFileSync(pathOf(api.version), 'utf8')) as OpenApi;
  return { version: api.version, document, operations: operationsOf(document) };
});
const OPERATIONS = DOCUMENTS.flatMap(({ version, document, operations }) =>
  operations.map((one) => ({ name: `v${version} ${one.operation.operationId}`, document, one })),
);
const EACH = Math.ceil(TOTAL / OPERATIONS.length);

async function send({ brain }: Client, { method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
  const answer = await brain.app.inject({
    method: method as 'GET',
    url: path,
    headers,
    ...(body !== undefined && { payload: body }),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers as FuzzAnswer['headers'],
    text: answer.body,
  };
}

const seqOf = async ({ brain }: Client): Promise<number> =>
  (await brain.services.graph.counts(brain.owner)).position.seq;

describe(`${TOTAL} generated requests, seed ${SEED}`, () => {
  it.each(OPERATIONS)(
    '$name: no 5xx, answers as described, and nothing stored by a refusal',
    async ({ document, one }) => {
      const client = await newBrain();
      const { wrongWith } = judgeOf(document);
      const statuses = new Map<number, number>();
      let pools = await fill(client);
      let sent = 0;
      await fc.assert(
        fc.asyncProperty(requestsFor(document, one), async (generated) => {
          if (sent++ % LOOK_EVERY === 0) pools = await fill(client);
          const { body, path } = generated;
          const request = {
            ...generated,
            path: bind(path, pools),
            body: typeof body === 'string' ? bind(body, pools) : body,
          };
          const before = await seqOf(client);
          const answer = await send(client, request);
          const after = await seqOf(client);
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          const { pathname } = new URL(request.path, 'http://localhost');
          const wrong = wrongWith(request.method, pathname, answer);
          if (wrong !== undefined)
            throw new Error(`${wrong}\n${describeRequest(request)}\n${answer.text.slice(0, 500)}`);
          if (answer.status >= 400 && after !== before)
            throw new Error(`refused with ${answer.status}, and stored\n${describeRequest(request)}`);
        }),
        { numRuns: EACH, seed: SEED, endOnFailure: process.env['BRAIN2_TEST_SHRINK'] === undefined },
      );
      // A fuzz that only ever is refused, or never is, proves little.
      const wasAccepted = [...statuses.keys()].some((status) => status < 400);
      const wasRefused = [...statuses.keys()].some((status) => status >= 400);
      expect({ wasAccepted, wasRefused }).toEqual({ wasAccepted: true, wasRefused: true });
    },
  );
});

const describeRequest = ({ method, path, headers, body }: FuzzRequest): string =>
  `${method} ${path.slice(0, 300)}\n${JSON.stringify(headers)}\n${String(body).slice(0, 1000)}`;
