import { BestSlots } from './best-slots.ts';
import { detached } from './characters.ts';
import { compareWords } from './compare-words.ts';
import { grownUint32, Lexicon } from './lexicon.ts';
import { Mentions } from './mentions.ts';
import { aliasesOf, eachCount, labelOf, MAX_COUNT, openingWords, tagsOf } from './note-words.ts';
import type { LinkableNote } from './note-words.ts';
import { COUNT_WEIGHT, Postings } from './postings.ts';
import type { StoredNote } from './stored-note.ts';
import { TitleTrie } from './title-trie.ts';
import { WordCutter } from './words.ts';
import type { CutWords } from './words.ts';

const PIVOT_POWER = 0.5;
const HANGUL_KEY = /^\p{sc=Hangul}/u;

/** The notes of one owner and everything that is derived from them, kept exact under every change. */
export class VaultStore {
  readonly cutter = new WordCutter();
  readonly lexicon = new Lexicon();
  readonly postings = new Postings();
  readonly trie = new TitleTrie();
  readonly notes: (StoredNote | undefined)[] = [];
  readonly mentions = new Mentions(this.trie, this.postings, this.notes);
  #pivots = new Float64Array(64);
  #digests = new Uint32Array(64);
  readonly #slots = new Map<string, number>();
  readonly #freeSlots: number[] = [];
  /** The term of each numbered word, as long as neither numbers change their meaning. */
  #termOfWord = new Uint32Array(1024);
  #termsValidFor = '';
  #countOf = new Uint16Array(1024);
  /** The distinct terms counted since the last note. */
  #counted = new Uint32Array(256);
  #countedTerms = 0;
  #totalCount = 0;

  get size(): number {
    return this.#slots.size;
  }

  /** The sum of all counts of all notes: with the size, how long the average note is. */
  get totalCount(): number {
    return this.#totalCount;
  }

  get pivots(): Float64Array {
    return this.#pivots;
  }

  /**
   * Slots of the lowest digests, one of each: a sample that is the same whatever the ids, the copies and the order in
   * which notes came. Notes that say different things may have one digest; their words decide then.
   */
  lowestDigests(count: number): number[] {
    const lowest = new BestSlots(count, this.notes);
    const slotOf = new Map<number, number>();
    for (let slot = 0; slot < this.notes.length; slot++) {
      const digest = this.#digests[slot]!;
      const note = this.notes[slot];
      if (-digest < lowest.least || note === undefined) continue;
      const other = slotOf.get(digest);
      if (other === undefined) lowest.offer(slot, -digest);
      else if (compareWords(note, this.notes[other]!, this) >= 0) continue;
      slotOf.set(digest, slot);
    }
    return Array.from(lowest.slots(), (slot) => slotOf.get(this.#digests[slot]!)!);
  }

  ids(): Iterable<string> {
    return this.#slots.keys();
  }

  find(id: string): StoredNote | undefined {
    const slot = this.#slots.get(id);
    return slot === undefined ? undefined : this.notes[slot];
  }

  *all(): Iterable<StoredNote> {
    for (const note of this.notes) if (note !== undefined) yield note;
  }

  put(note: LinkableNote): StoredNote {
    this.remove(note.id);
    return this.#add(note);
  }

  /** Calls `use` while `note` stands in the place of the stored note of its id, if there is one. */
  whileReplaced<T>(note: LinkableNote, use: (stored: StoredNote) => T): T {
    const before = this.find(note.id);
    const names = before?.phrases.map((phrase) => this.trie.termsOf(phrase)) ?? [];
    if (before !== undefined) this.#takeOut(before, { releaseTerms: false });
    const stored = this.#add(note);
    try {
      return use(stored);
    } finally {
      if (before !== undefined) this.#store({ ...before, names });
      else this.#slots.delete(note.id);
      this.#takeOut(stored, { releaseTerms: true });
    }
  }

  /** Adds a note whose terms are numbered and whose postings are there, as a snapshot holds them. */
  restore(note: RestoredNote): StoredNote {
    return this.#store(note, { addPostings: false });
  }

  remove(id: string): boolean {
    const note = this.find(id);
    if (note === undefined) return false;
    this.#slots.delete(id);
    this.#takeOut(note, { releaseTerms: true });
    return true;
  }

  #takeOut(note: StoredNote, { releaseTerms }: { readonly releaseTerms: boolean }): void {
    const { slot } = note;
    this.mentions.noteRemoved(slot);
    for (const phrase of note.phrases) {
      if (this.trie.remove(phrase, slot)) this.mentions.phraseRemoved(phrase);
    }
    for (const feature of note.features) {
      const term = feature >>> 8;
      if (this.postings.remove(term, slot) === 0 && releaseTerms) this.lexicon.release(term);
    }
    this.#totalCount -= note.length;
    this.notes[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  #add(note: LinkableNote): StoredNote {
    const { cutter, lexicon } = this;
    const title = this.#intern(cutter.numberPlain(labelOf(note.title)), note.title);
    const aliases = aliasesOf(note).map((alias) => this.#intern(cutter.numberPlain(alias), alias));
    const tags = tagsOf(note).map(({ key, bare }) => ({
      tag: lexicon.intern(key, key, 0, key.length),
      words: this.#intern(cutter.numberPlain(bare), bare),
    }));
    const words = cutter.numberMarkdown(note.text);
    const sequence = new Uint32Array(title.length + 1 + words.count);
    sequence.set(title);
    const body = sequence.subarray(title.length + 1);
    this.#internInto(body, words, note.text);
    const parts = { title, aliases, tags, body, opening: openingWords(words.starts, words.count) };
    this.#countedTerms = 0;
    eachCount(parts, (term, count) => this.#count(term, count));
    return this.#store({
      id: detached(note.id),
      title: detached(note.title.slice(0, 512)),
      version: note.version,
      features: this.#collect(),
      sequence,
      titleTerms: new Set(title).size,
      names: [title, ...aliases],
    });
  }

  #intern(words: CutWords, text: string): number[] {
    const terms: number[] = [];
    this.#internInto(terms, words, text);
    return terms;
  }

  #internInto(terms: number[] | Uint32Array, words: CutWords, text: string): void {
    this.#keepTermsValid();
    const { count, numbers, starts, ends } = words;
    for (let at = 0; at < count; at++) {
      const word = numbers[at]!;
      let term = word < this.#termOfWord.length ? this.#termOfWord[word]! : 0;
      if (term === 0) {
        term = this.lexicon.intern(this.cutter.keyOf(word), text, starts[at]!, ends[at]!);
        if (word >= this.#termOfWord.length) this.#termOfWord = grownUint32(this.#termOfWord, word * 2);
        this.#termOfWord[word] = term;
      }
      terms[at] = term;
    }
  }

  #keepTermsValid(): void {
    const validFor = `${this.cutter.generation} ${this.lexicon.releases}`;
    if (validFor === this.#termsValidFor) return;
    this.#termOfWord.fill(0);
    this.#termsValidFor = validFor;
  }

  #count(term: number, count: number): void {
    if (term >= this.#countOf.length) {
      const counts = new Uint16Array(term * 2);
      counts.set(this.#countOf);
      this.#countOf = counts;
    }
    const before = this.#countOf[term]!;
    if (before === 0) {
      const place = this.#countedTerms++;
      if (place === this.#counted.length) this.#counted = grownUint32(this.#counted, place * 2);
      this.#counted[place] = term;
    }
    this.#countOf[term] = Math.min(MAX_COUNT, before + count);
  }

  #collect(): Uint32Array {
    const packed = this.#counted.slice(0, this.#countedTerms);
    for (let at = 0; at < packed.length; at++) {
      const term = packed[at]!;
      packed[at] = (term << 8) | this.#countOf[term]!;
      this.#countOf[term] = 0;
    }
    return packed;
  }

  #store(
    restored: RestoredNote,
    { addPostings }: { readonly addPostings: boolean } = { addPostings: true },
  ): StoredNote {
    const { id, title, version, features, sequence, titleTerms, names } = restored;
    const slot = this.#freeSlots.pop() ?? this.notes.length;
    let norm = 0;
    let length = 0;
    let digest = 0;
    for (let at = 0; at < features.length; at++) {
      const term = features[at]! >>> 8;
      const count = features[at]! & 255;
      norm += COUNT_WEIGHT[count]! ** 2;
      length += count;
      // A sum, because terms of a note have no order that lasts.
      digest += Math.imul(this.lexicon.hashOf(term) ^ count, 0x9e3779b1) >>> 8;
      if (addPostings) this.postings.add(term, slot, count);
    }
    digest = Math.imul(digest | 0, 0x85ebca6b) >>> 0;
    this.#totalCount += length;
    const phrases = this.#own(names, slot);
    const pivot = Math.sqrt(norm) ** PIVOT_POWER;
    const note: StoredNote = {
      slot,
      id,
      title,
      version,
      features,
      sequence,
      titleTerms,
      phrases,
      length,
      pivot,
      digest,
    };
    this.notes[slot] = note;
    if (slot >= this.#pivots.length) {
      const pivots = new Float64Array(slot * 2);
      pivots.set(this.#pivots);
      this.#pivots = pivots;
      this.#digests = grownUint32(this.#digests, slot * 2);
    }
    this.#pivots[slot] = pivot;
    this.#digests[slot] = digest;
    this.#slots.set(id, slot);
    this.mentions.noteAdded(slot);
    return note;
  }

  #own(names: readonly (readonly number[])[], slot: number): number[] {
    const phrases: number[] = [];
    for (const terms of names) {
      const phrase = this.trie.phraseOf(terms, this.#writtenWords(terms));
      if (phrase === 0 || phrases.includes(phrase)) continue;
      phrases.push(phrase);
      if (this.trie.own(phrase, slot)) this.mentions.phraseAdded(phrase);
    }
    return phrases;
  }

  /** Syllable pairs count half, so that Korean titles are not longer than others. */
  #writtenWords(terms: readonly number[]): number {
    let halves = 0;
    for (const term of terms) halves += HANGUL_KEY.test(this.lexicon.keyOf(term)) ? 1 : 2;
    return Math.ceil(halves / 2);
  }
}

/** What `StoredNote` is made from. */
export interface RestoredNote {
  readonly id: string;
  readonly title: string;
  readonly version: number;
  readonly features: Uint32Array;
  readonly sequence: Uint32Array;
  readonly titleTerms: number;
  /** The terms of the title and of each alias. */
  readonly names: readonly (readonly number[])[];
}
