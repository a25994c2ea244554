const EDGE_SHARDS = 16;
const TERM_RANGE = 2 ** 24;
/** Titles of more terms than this are too long to be named in a sentence. */
const MAX_PHRASE_TERMS = 16;

interface TrieNode {
  readonly parent: number;
  readonly term: number;
  readonly owners: number[];
  children: number;
  words: number;
}

/**
 * All titles and aliases as sequences of terms. A phrase is known by the number of its last node; notes of
 * the same title own the same phrase. Number 0 is the root and no phrase.
 */
export class TitleTrie {
  readonly #nodes: (TrieNode | undefined)[] = [{ parent: 0, term: 0, owners: [], children: 0, words: 0 }];
  readonly #free: number[] = [];
  readonly #edges: Map<number, number>[] = Array.from(
    { length: EDGE_SHARDS },
    () => new Map<number, number>(),
  );
  // Nearly every term of a text is asked for below the root, so the root has a table of its own.
  #firsts = new Uint32Array(1024);

  /** One more than the greatest phrase number. */
  get bound(): number {
    return this.#nodes.length;
  }

  /** Where `term` leads from `node`, or 0. */
  step(node: number, term: number): number {
    if (node === 0) return term < this.#firsts.length ? this.#firsts[term]! : 0;
    if (this.#nodes[node]!.children === 0) return 0;
    return this.#edges[node % EDGE_SHARDS]!.get(node * TERM_RANGE + term) ?? 0;
  }

  /** The phrase of these terms, new or known; 0 when they are none or too many. Give it an owner next. */
  phraseOf(terms: readonly number[], words: number): number {
    if (terms.length === 0 || terms.length > MAX_PHRASE_TERMS) return 0;
    let node = 0;
    for (const term of terms) node = this.step(node, term) || this.#grow(node, term);
    this.#nodes[node]!.words = words;
    return node;
  }

  /** Makes a note an owner of a phrase, once; says whether it is the first. */
  own(phrase: number, slot: number): boolean {
    return this.#nodes[phrase]!.owners.push(slot) === 1;
  }

  /** Ends a note's ownership; says whether the phrase is gone with it. */
  remove(phrase: number, slot: number): boolean {
    const { owners } = this.#nodes[phrase]!;
    const at = owners.indexOf(slot);
    if (at < 0) return false;
    owners[at] = owners[owners.length - 1]!;
    owners.pop();
    if (owners.length > 0) return false;
    this.#prune(phrase);
    return true;
  }

  ownersOf(phrase: number): readonly number[] {
    return this.#nodes[phrase]?.owners ?? [];
  }

  /** How many written words the phrase has. */
  wordsOf(phrase: number): number {
    return this.#nodes[phrase]?.words ?? 0;
  }

  termsOf(phrase: number): number[] {
    const terms: number[] = [];
    for (let node = phrase; node !== 0; node = this.#nodes[node]!.parent) terms.push(this.#nodes[node]!.term);
    return terms.reverse();
  }

  #grow(parent: number, term: number): number {
    const node = this.#free.pop() ?? this.#nodes.length;
    this.#nodes[node] = { parent, term, owners: [], children: 0, words: 0 };
    this.#nodes[parent]!.children++;
    if (parent !== 0) {
      this.#edges[parent % EDGE_SHARDS]!.set(parent * TERM_RANGE + term, node);
      return node;
    }
    if (term >= this.#firsts.length) {
      const firsts = new Uint32Array(term * 2);
      firsts.set(this.#firsts);
      this.#firsts = firsts;
    }
    this.#firsts[term] = node;
    return node;
  }

  #prune(phrase: number): void {
    for (let node = phrase; node !== 0;) {
      const { parent, term, owners, children } = this.#nodes[node]!;
      if (owners.length > 0 || children > 0) return;
      if (parent === 0) this.#firsts[term] = 0;
      else this.#edges[parent % EDGE_SHARDS]!.delete(parent * TERM_RANGE + term);
      this.#nodes[node] = undefined;
      this.#nodes[parent]!.children--;
      this.#free.push(node);
      node = parent;
    }
  }
}
