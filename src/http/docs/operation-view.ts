import { STATUS_CODES } from 'node:http';
import type { Json } from '../openapi/json.ts';
import {
  resolve,
  type Content,
  type Contents,
  type Located,
  type OpenApi,
  type Operation,
  type Parameter,
  type ResponseObject,
} from '../openapi/open-api.ts';
import { html, prose, type Html } from './html.ts';
import { typeOf } from './schema-view.ts';

/** One operation: what it takes, what it answers, and how it is called. */
export function operationView(document: OpenApi, one: Located): Html {
  const { path, method, operation } = one;
  return html`<section
    class="operation"
    id="${operation.operationId}"
    aria-labelledby="${operation.operationId}-title"
  >
    <h3 id="${operation.operationId}-title">
      ${operation.summary}
      <a class="anchor" href="#${operation.operationId}" aria-label="Link to ${operation.summary}">#</a>
    </h3>
    <p class="address"><span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code></p>
    <p>${prose(operation.description)}</p>
    ${scope(operation)} ${call(document, one)} ${parameters(document, operation)} ${body(operation)}
    ${answers(document, operation)}
  </section>`;
}

/** What the caller's token must be good for, where one is asked for. */
function scope({ security = [] }: Operation): Html | undefined {
  const asked = security.flatMap(({ bearer = [] }) => bearer);
  return asked.length === 0 ? undefined : html`<p class="scope">Scope: <code>${asked.join(', ')}</code></p>`;
}

function parameters(document: OpenApi, operation: Operation): Html | undefined {
  const all = (operation.parameters ?? []).map((one) => resolve<Parameter>(document, one));
  if (all.length === 0) return undefined;
  const rows = all.map(
    ({ name, in: place, required, description, schema }) =>
      html`<tr>
        <th scope="row">
          <code>${name}</code>${required === true && html` <span class="required">required</span>`}
        </th>
        <td>${place}</td>
        <td><span class="type">${typeOf(schema)}</span> ${prose(description)}</td>
      </tr>`,
  );
  return html`<h4>Parameters</h4>
    <div class="wide">
      <table class="parameters">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">In</th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`;
}

function body({ requestBody }: Operation): Html | undefined {
  if (!requestBody) return undefined;
  return html`<h4>Body</h4>
    ${contents(requestBody.content)}`;
}

function answers(document: OpenApi, { responses }: Operation): Html {
  const entries = Object.entries(responses).map(
    ([status, response]) => [Number(status), resolve<ResponseObject>(document, response)] as const,
  );
  const successes = entries
    .filter(([status]) => status < 400)
    .map(([status, response]) => success(status, response));
  const failures = entries
    .filter(([status]) => status >= 400)
    .map(([status, { description }]) => {
      return html`<li><strong>${status}</strong> ${failureProse(description)}</li>`;
    });
  return html`<h4>Answers</h4>
    ${successes}
    <details class="failures">
      <summary>Refusals and failures</summary>
      <ul>
        ${failures}
      </ul>
    </details>`;
}

function success(status: number, { description, headers = {}, content }: ResponseObject): Html {
  const names = Object.keys(headers).map((name, index) => html`${index > 0 && ', '}<code>${name}</code>`);
  return html`<div class="answer">
    <p>
      <strong>${status} ${STATUS_CODES[status]}</strong> ${description}
      <span class="headers">Headers: ${names}</span>
    </p>
    ${content && contents(content)}
  </div>`;
}

/** The codes of a failure, each a link to where it is described. */
function failureProse(description: string): Html {
  const parts = description.split(/`(\w+)`/).map((part, index) => {
    return index % 2 === 1 ? html`<a href="/docs/errors#${part}"><code>${part}</code></a>` : html`${part}`;
  });
  return html`${parts}`;
}

function contents(content: Contents): Html {
  return html`${Object.entries(content).map(
    ([type, one]) =>
      html`<p class="content"><code>${type}</code> <span class="type">${typeOf(one.schema)}</span></p>
        ${examples(one)}`,
  )}`;
}

function examples({ examples = {} }: Content): Html {
  return html`${Object.values(examples).map(
    ({ summary, value }) =>
      html`<details>
        <summary>Example: ${summary}</summary>
        <pre tabindex="0"><code>${shown(value)}</code></pre>
      </details>`,
  )}`;
}

const shown = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

/** Where the server that shows the page is put in. */
export const ORIGIN = '%ORIGIN%';
const SINGLE_QUOTE = /'/g;

/** The first example as a line for a shell. */
function call(document: OpenApi, { path, method, operation }: Located): Html {
  const all = (operation.parameters ?? []).map((one) => resolve<Parameter>(document, one));
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    return encodeURIComponent(String(all.find((one) => one.name === name)?.example ?? name));
  });
  const query = all
    .filter((one) => one.in === 'query' && one.required === true)
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example ?? name))}`);
  const headers = all.filter(({ name }) => name === 'If-Match').map(() => `-H 'If-Match: *'`);
  const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const value = Object.values(content?.examples ?? {})[0]?.value;
  const data =
    type !== undefined && value !== undefined
      ? [
          `-H 'content-type: ${type}'`,
          `--data-binary '${textOf(value).replace(SINGLE_QUOTE, String.raw`'\''`)}'`,
        ]
      : [];
  const url = `'${ORIGIN}${filled}${query.length > 0 ? `?${query.join('&')}` : ''}'`;
  const words = ['curl -s', method === 'GET' ? '' : `-X ${method}`, url]
    .filter((word) => word !== '')
    .join(' ');
  return html`<pre
    class="call"
    tabindex="0"
  ><code>${[words, ...headers, ...data].join(' \\\n  ')}</code></pre>`;
}

const LINE = 80;

function textOf(value: Json): string {
  if (typeof value === 'string') return value;
  const line = JSON.stringify(value);
  return line.length > LINE ? JSON.stringify(value, null, 2) : line;
}
