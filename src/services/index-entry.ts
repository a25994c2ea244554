import { LinkIndex } from '../linking/link-index.ts';
import { answerRequests } from '../shared/thread-answers.ts';
import type { IndexCall, IndexCalls } from './index-calls.ts';
import { wantedOf } from './wanted.ts';

// The thread in which the indexes of the owners served here live.
const indexes = new Map<number, LinkIndex>();

function callsOf(number: number): IndexCalls {
  const index = (): LinkIndex => {
    const found = indexes.get(number);
    if (!found) throw new Error(`index ${number} is not open`);
    return found;
  };
  return {
    open(bytes) {
      const opened = bytes === undefined ? new LinkIndex() : LinkIndex.deserialize(bytes);
      indexes.set(number, opened);
      return Array.from(opened.ids(), (id) => [id, opened.versionOf(id) ?? 0] as const);
    },
    close: () => void indexes.delete(number),
    put: (note) => index().put(note),
    remove: (id) => void index().remove(id),
    settle: () => index().settleSome(),
    links: (ids) => ids.map((id) => index().links(id).map(wantedOf)),
    related: (id, limit) => index().related(id, limit),
    preview: (note, limit) => index().preview(note, limit),
    previewLinks: (note, limit) => index().kept(index().preview(note, limit)),
    fingerprint: (note) => index().fingerprint(note),
    explain: (a, b) => index().explain(a, b),
    search: (query, options) => index().search(query, options),
    serialize: () => index().serialize(),
  };
}

answerRequests(
  (requests, reply) => {
    requests.forEach((request, at) => {
      const { index, method, args } = request as IndexCall;
      const call = callsOf(index)[method] as (...of: unknown[]) => unknown;
      let answer: unknown;
      try {
        answer = call(...args);
      } catch (error) {
        answer = error instanceof Error ? error : new Error(String(error));
      }
      reply(at, answer, answer instanceof Uint8Array ? [answer.buffer as ArrayBuffer] : []);
    });
  },
  () => indexes.clear(),
);
