import { LinkIndex } from '../linking/link-index.ts';
import type { IndexCall, IndexCalls } from './index-calls.ts';
import { packLinks, wantedOf } from './wanted.ts';

/** The indexes of the owners served here, and what is asked of them carried out, each call at once. */
export class IndexWork {
  readonly #indexes = new Map<number, LinkIndex>();

  /** What the call gives; an `Error` in the place of what it throws. */
  answer({ index, method, args }: IndexCall): unknown {
    const call = this.#callsOf(index)[method] as (...of: unknown[]) => unknown;
    try {
      return call(...args);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  clear(): void {
    this.#indexes.clear();
  }

  #callsOf(number: number): IndexCalls {
    const index = (): LinkIndex => {
      const found = this.#indexes.get(number);
      if (!found) throw new Error(`index ${number} is not open`);
      return found;
    };
    return {
      open: (bytes) => {
        const opened = bytes === undefined ? new LinkIndex() : LinkIndex.deserialize(bytes);
        this.#indexes.set(number, opened);
        return Array.from(opened.ids(), (id) => [id, opened.versionOf(id) ?? 0] as const);
      },
      close: () => void this.#indexes.delete(number),
      put: (note) => index().put(note),
      remove: (id) => void index().remove(id),
      settle: (how) => index().settleSome(how),
      links: (ids) => packLinks(ids.map((id) => index().links(id).map(wantedOf))),
      related: (id, limit) => index().related(id, limit),
      preview: (note, limit) => index().preview(note, limit),
      previewLinks: (note, limit) => index().kept(index().preview(note, limit)),
      fingerprint: (note) => index().fingerprint(note),
      explain: (a, b) => index().explain(a, b),
      search: (query, options) => index().search(query, options),
      serialize: () => index().serialize(),
    };
  }
}
