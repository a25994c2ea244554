import type { DescribedRoute } from '../../src/http/openapi/operation.ts';

/** Stands in everything that a walk sends and in everything that it stored: no line of a log may have it. */
export const MARKER = 'xylophonequartz';

export interface Known {
  readonly nodes: readonly [string, string];
  readonly edges: readonly [string];
  readonly categories: readonly [string];
}

/** A note of which every word is marked. */
export const markedNote = (name: string) => ({
  title: `${MARKER} ${name} title`,
  content: `${MARKER} ${name} content about the circadian rhythm of melatonin`,
  tags: [`${MARKER}tag`],
  aliases: [`${MARKER} ${name} alias`],
});

/** Stores what the routes can be asked for. */
export async function seed(url: string): Promise<Known> {
  const post = async (path: string, body: unknown): Promise<string> => {
    const answer = await fetch(`${url}/api/v2${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { id } = (await answer.json()) as { id?: string };
    if (id === undefined) throw new Error(`POST ${path} was answered with ${answer.status}`);
    return id;
  };
  const first = await post('/nodes', markedNote('first'));
  await fetch(`${url}/api/v2/imports?collection=${MARKER}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: JSON.stringify({ key: `${MARKER}/a.md`, ...markedNote('imported') }),
  }).then((answer) => answer.text());
  const second = await post('/nodes', markedNote('second'));
  const edge = await post('/edges', { sourceId: first, targetId: second, type: 'manual' });
  const category = await post('/categories', { title: `${MARKER} category` });
  return { nodes: [first, second], edges: [edge], categories: [category] };
}

const MARKED_HEADERS = {
  authorization: `Bearer ${MARKER}`,
  cookie: `session=${MARKER}`,
  'x-api-key': MARKER,
  'user-agent': MARKER,
  referer: `http://${MARKER}/`,
  'x-request-id': MARKER,
  'idempotency-key': MARKER,
  traceparent: `00-${MARKER}`,
  tracestate: `a=${MARKER}`,
};

interface Sent {
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What one route is asked: as it should be, with ids and parameters that are not known, and with bodies of any kind. */
function variants({ method, url }: DescribedRoute, known: Known): readonly Sent[] {
  const real = fill(url, known);
  const strange = url.replace(/:\w+|\*/g, MARKER);
  const asked: Sent[] = [
    { path: real },
    { path: strange },
    ...[`q=${MARKER}`, `tag=${MARKER}tag`, `${MARKER}=1`].map((query) => ({ path: `${real}?${query}` })),
  ];
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return asked;
  const json = { 'content-type': 'application/json', 'if-match': '*' };
  const lines = [`{"key":"${MARKER}/a.md","content":"${MARKER}"}`, `{"key": ${MARKER}`].join('\n');
  return [
    ...asked,
    { path: real, headers: json, body: JSON.stringify(markedNote(method)) },
    { path: real, headers: json, body: JSON.stringify({ title: `${MARKER} thing` }) },
    { path: real, headers: json, body: JSON.stringify({ [MARKER]: MARKER, tags: MARKER }) },
    { path: real, headers: json, body: `{"content": "${MARKER}` },
    { path: real, headers: { 'content-type': `text/${MARKER}` }, body: MARKER },
    {
      path: `${real}?collection=${MARKER}`,
      headers: { 'content-type': 'application/x-ndjson', 'if-match': '*' },
      body: lines,
    },
  ];
}

/** The path of a route with ids of what it is about, as far as the path tells. */
function fill(url: string, known: Known): string {
  const ids: Readonly<Record<string, readonly string[]>> = { ...known };
  let used = 0;
  return url.replace(/(\w+)\/:(\w+)|:\w+|\*/g, (_whole, collection?: string) => {
    const of = collection === undefined ? 'nodes' : collection;
    const id = (ids[of] ?? known.nodes)[used++] ?? known.nodes[1];
    return collection === undefined ? id : `${collection}/${id}`;
  });
}

const PATIENCE_MS = 5_000;

/** Sends each route its variants over sockets; gives the correlation ids, each with its route. */
export async function walk(
  url: string,
  routes: readonly DescribedRoute[],
  known: Known,
): Promise<ReadonlyMap<string, DescribedRoute>> {
  const sent = new Map<string, DescribedRoute>();
  const inOrder = routes.toSorted((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));
  for (const route of inOrder) {
    for (const { path, headers, body } of variants(route, known)) {
      const id = `walk-${sent.size}`;
      sent.set(id, route);
      try {
        const answer = await fetch(url + path, {
          method: route.method,
          headers: { ...MARKED_HEADERS, ...headers, 'x-correlation-id': id },
          redirect: 'manual',
          signal: AbortSignal.timeout(PATIENCE_MS), // a route may answer without an end
          ...(body !== undefined && { body }),
        });
        await answer.text();
      } catch (error) {
        if (!(error instanceof Error)) throw error; // cut off: the log has to tell of that as well
      }
    }
  }
  return sent;
}
