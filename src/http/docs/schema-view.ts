import type { Json, JsonObject } from '../openapi/json.ts';
import { html, prose, type Html } from './html.ts';

/** A shape in words: its type and what bounds it, named shapes as links to where they are described. */
export function typeOf(schema: JsonObject): Html {
  const { $ref, anyOf, allOf, enum: values, const: value, type, items, contentSchema } = schema;
  if (typeof $ref === 'string') {
    const name = $ref.split('/').at(-1) ?? '';
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (value !== undefined) return html`<code>${JSON.stringify(value)}</code>`;
  if (Array.isArray(values))
    return join((values as Json[]).map((one) => html`<code>${JSON.stringify(one)}</code>`));
  const forms = listOf(anyOf ?? allOf);
  if (forms.length > 0) return join(forms.filter(isTold).map(typeOf));
  if (contentSchema !== undefined) return html`lines of ${typeOf(contentSchema as JsonObject)}`;
  if (type === 'array') return html`list of ${typeOf((items ?? {}) as JsonObject)}${bounds(schema)}`;
  return html`${typeof type === 'string' ? type : 'any value'}${bounds(schema)}`;
}

/** The fields of a shape, those of inner shapes below them. */
function fieldsOf(schema: JsonObject): Html | undefined {
  const properties = propertiesOf(schema);
  if (Object.keys(properties).length === 0) return undefined;
  const required = listOf(schema['required']) as readonly Json[];
  const rows = Object.entries(properties).map(([name, field]) => {
    const inner = innerOf(field);
    return html`<li>
      <code class="name">${name}</code
      >${required.includes(name) ? html` <span class="required">required</span>` : ''}
      <span class="type">${typeOf(field)}</span>
      ${typeof field['description'] === 'string' && html`<p>${prose(sentence(field['description']))}</p>`}
      ${inner}
    </li>`;
  });
  return html`<ul class="fields">
    ${rows}
  </ul>`;
}

/** All that a named shape has to say. */
export function shapeOf(schema: JsonObject): Html {
  const { description } = schema;
  const forms = listOf(schema['anyOf']);
  const body =
    forms.length > 0
      ? html`<ul class="forms">
          ${forms.map((form) => html`<li>${fieldsOf(form) ?? typeOf(form)}</li>`)}
        </ul>`
      : (fieldsOf(schema) ?? html`<p class="type">${typeOf(schema)}</p>`);
  return html`${typeof description === 'string' && html`<p>${prose(sentence(description))}</p>`}${body}`;
}

const sentence = (text: string): string => {
  const upper = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
};

/** The fields within a field: of itself, of its items, of its values. */
function innerOf(field: JsonObject): Html | undefined {
  const forms = listOf(field['anyOf'])
    .map(fieldsOf)
    .filter((form) => form !== undefined);
  if (forms.length > 0) return html`${forms}`;
  const { items, additionalProperties } = field;
  const inside = items ?? additionalProperties;
  return fieldsOf(field) ?? (isObject(inside) ? fieldsOf(inside) : undefined);
}

const BOUNDS: readonly (readonly [string, string, string])[] = [
  ['minLength', 'maxLength', 'characters'],
  ['minItems', 'maxItems', 'items'],
  ['minimum', 'maximum', ''],
  ['minProperties', 'maxProperties', 'fields'],
];

function bounds(schema: JsonObject): Html {
  const told = BOUNDS.flatMap(([low, high, unit]) => {
    const [least, most] = [schema[low], schema[high]];
    if (least === undefined && most === undefined) return [];
    const [from, to] = [count(least), count(most)];
    const range = from === '' ? `at most ${to}` : to === '' ? `at least ${from}` : `${from} to ${to}`;
    return [`${range} ${unit}`.trim()];
  });
  const { pattern, default: standard } = schema;
  if (typeof pattern === 'string') told.push(`like ${pattern}`);
  if (standard !== undefined) told.push(`${JSON.stringify(standard)} if absent`);
  return told.length === 0 ? html`` : html` <span class="bounds">(${told.join(', ')})</span>`;
}

const count = (bound: Json | undefined): string =>
  typeof bound === 'number' ? bound.toLocaleString('en') : '';

const isTold = (form: JsonObject): boolean =>
  form['type'] !== undefined || '$ref' in form || 'enum' in form || 'anyOf' in form || 'const' in form;
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as JsonObject[]) : [];
const propertiesOf = (schema: JsonObject): Readonly<Record<string, JsonObject>> =>
  (schema['properties'] ?? {}) as Readonly<Record<string, JsonObject>>;

function join(parts: readonly Html[]): Html {
  return html`${parts.map((part, index) => (index === 0 ? part : html` or ${part}`))}`;
}
