import { operationsOf, type Located, type OpenApi } from '../openapi/open-api.ts';
import { html, prose, type Html } from './html.ts';
import { operationView } from './operation-view.ts';
import { shapeOf } from './schema-view.ts';

/** The reference of one version, made of its document, and the contents beside it. */
export function reference(
  document: OpenApi,
  notice?: Html,
): { readonly body: Html; readonly contents: Html } {
  const operations = operationsOf(document);
  const groups = document.tags
    .map((tag) => ({
      ...tag,
      operations: operations.filter(({ operation }) => operation.tags.includes(tag.name)),
    }))
    .filter(({ operations }) => operations.length > 0);
  const shapes = Object.entries(document.components.schemas);
  const body = html`<h1>${document.info.title}</h1>
    ${notice}
    <p class="lead">${prose(document.info.description)}</p>
    ${groups.map(
      ({ name, description, operations }) =>
        html`<section id="tag-${name}">
          <h2>${titleOf(name)}</h2>
          <p>${prose(description)}</p>
          ${operations.map((one) => operationView(document, one))}
        </section>`,
    )}
    <section id="shapes">
      <h2>Shapes</h2>
      <p>
        What is sent and answered, by name. An answer may have further fields one day: ignore those that you
        do not know.
      </p>
      ${shapes.map(
        ([name, schema]) =>
          html`<section class="shape" id="schema-${name}">
            <h3>${name}</h3>
            ${shapeOf(schema)}
          </section>`,
      )}
    </section>`;
  const contents = html`${groups.map(
      ({ name, operations }) =>
        html`<p><a href="#tag-${name}">${titleOf(name)}</a></p>
          <ul>
            ${operations.map(entry)}
          </ul>`,
    )}
    <p><a href="#shapes">Shapes</a></p>`;
  return { body, contents };
}

const entry = ({ method, operation }: Located): Html =>
  html`<li>
    <a href="#${operation.operationId}"
      ><span class="method ${method.toLowerCase()}" aria-hidden="true">${method}</span>
      ${operation.summary}</a
    >
  </li>`;

const titleOf = (name: string): string => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
