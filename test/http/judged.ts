import { negotiate } from '../../src/http/negotiation.ts';
import { documentOf } from '../contract/committed.ts';
import { judgeOf, type JudgedAnswer } from '../contract/judge.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly accept: string | undefined;
}

/** Made when the first answer of a version comes, and kept. */
const judges = new Map<number, ReturnType<typeof judgeOf>>();

/**
 * Throws where an answer of the API contradicts the document of its version. At no operation (an unknown path, another
 * method) a refusal need only have the shape of refusals.
 */
export function holdToDocument({ method, url, accept }: Asked, answer: JudgedAnswer): void {
  const negotiated = negotiate(url, accept);
  const [path = ''] = (negotiated.kind === 'version' ? negotiated.url : url).split('?', 1);
  const version = Number(/^\/api\/v([12])\//.exec(path)?.[1]);
  if (Number.isNaN(version) || isOfNoOperation(method, path)) return;
  const judge = judges.get(version) ?? judgeOf(documentOf(version));
  judges.set(version, judge);
  const wrong = judge.wrongWith(method, path, answer);
  if (wrong !== undefined)
    throw new Error(
      `${method} ${path.slice(0, 200)} answered ${answer.status}, against the document of v${version}: ${wrong}\n${answer.text.slice(0, 400)}`,
    );
}

/** A preflight is between a browser and the server, and the document does not describe itself. */
const isOfNoOperation = (method: string, path: string): boolean =>
  method === 'OPTIONS' || path.endsWith('/openapi.json');
