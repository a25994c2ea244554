import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/domain/error.ts';
import { documentOf, pathOf } from './committed.ts';
import { CONTRACTS, describe as describeContract, textOf, type Described } from './documents.ts';
import { unboundedBy } from './lint-bounds.ts';
import { templateOf } from '../../src/http/successors.ts';
import { operationsOf, resolve } from '../../src/http/openapi/open-api.ts';

describe.each(CONTRACTS)('the document of v$api.version', (contract) => {
  const { version } = contract.api;
  let described: Promise<Described> | undefined;
  const generated = async (): Promise<Described> => (described ??= describeContract(contract));
  const committed = readFileSync(pathOf(version), 'utf8');
  const document = documentOf(version);
  const operations = operationsOf(document);

  it('is what the routes give, and its examples are what a real application answers', async () => {
    expect(textOf((await generated()).document)).toBe(committed); // else: npm run docs:openapi
  });

  it('has every route of its version, with the scope that it asks', async () => {
    const { routes } = await generated();
    const own = routes.filter(
      ({ method, url }) =>
        method !== 'HEAD' && url.startsWith(`/api/v${version}/`) && !url.endsWith('/openapi.json'),
    );
    const registered = own.map(({ method, url, access }) => `${method} ${templateOf(url)} ${access}`);
    const told = operations.map(({ method, path, operation }) => {
      const [asked] = operation.security ?? [];
      return `${method} ${path} ${asked?.['bearer']?.join(' ')}`;
    });
    expect(told.sort()).toEqual(registered.sort());
  });

  it('tells each operation by an id of its own, a summary, a description and one known tag', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { operation } of operations) {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary).toMatch(/^[A-Z].*[^.]$/);
      expect(operation.description).toMatch(/^[A-Z`].*\.$/s);
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
    }
  });

  it('has an example of each request body and of each success', () => {
    const bare = operations.flatMap(({ operation }) => {
      const request = Object.values(operation.requestBody?.content ?? {});
      const bodies = request.length > 0 && !request.some(({ examples }) => examples) ? ['request'] : [];
      const answers = Object.entries(operation.responses)
        .filter(([status]) => Number(status) < 300)
        .filter(([, response]) =>
          Object.entries(resolve(document, response).content ?? {}).some(
            ([type, { examples }]) => !examples && !['text/event-stream', 'application/zip'].includes(type), // without an end, or no text
          ),
        );
      return [...bodies, ...answers.map(([status]) => status)].map(
        (what) => `${operation.operationId} ${what}`,
      );
    });
    expect(bare).toEqual([]);
  });

  it('names the codes of each failure under the status that they are answered with', () => {
    for (const { operation } of operations) {
      const failures = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
      expect(failures.length).toBeGreaterThan(2);
      for (const [status, response] of failures) {
        for (const [, code] of resolve(document, response).description.matchAll(/`(\w+)`/g)) {
          expect([code, contract.api.failures.statusOf(code as ErrorCode)]).toEqual([code, Number(status)]);
        }
      }
    }
  });
});

it('every route of the API is an operation with an id, a summary, a description and a tag', async () => {
  const [contract] = CONTRACTS;
  const { routes } = await describeContract(contract!);
  const ofTheApi = routes.filter(({ url }) => url.startsWith('/api/'));
  expect(ofTheApi.length).toBeGreaterThan(60);
  const untold = ofTheApi.filter(
    ({ schema: { operationId, summary, description, tags = [] } }) =>
      !operationId || !summary || !description || tags.length !== 1,
  );
  expect(untold.map(({ method, url }) => `${method} ${url}`)).toEqual([]);
});

const OF_THE_CONNECTION = ['header_too_large', 'request_timeout'];

it('the codes named by the document of v2 are those of the union', () => {
  const document = documentOf(2);
  const named = Object.values(document.components.responses).flatMap(({ description }) =>
    [...description.matchAll(/`(\w+)`/g)].map(([, code]) => code),
  );
  // What is answered where there is no operation: at another method, where no served version is asked for, and before
  // a request is whole.
  const elsewhere = ['method_not_allowed', 'version_gone', 'version_not_acceptable', ...OF_THE_CONNECTION];
  expect(new Set([...named, ...elsewhere])).toEqual(new Set(ERROR_CODES));
});

it('what may be sent without a limit is seen', () => {
  expect(unboundedBy({ type: 'string' })).toEqual(['maxLength']);
  expect(unboundedBy({ type: 'array', items: {} })).toEqual(['maxItems']);
  expect(unboundedBy({ type: 'string', enum: ['a'] })).toEqual([]);
  expect(unboundedBy({ type: 'string', maxLength: 1 })).toEqual([]);
});
