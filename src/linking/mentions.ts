import type { Postings } from './postings.ts';
import type { StoredNote } from './stored-note.ts';
import type { TitleTrie } from './title-trie.ts';

const NOTHING = new Uint32Array(0);
/** So many notes read again take 1 to 3 ms among 50,000: no caller waits for more. */
const REREAD_AT_ONCE = 6;
/** Looking for a phrase in one note costs about a tenth of reading it. */
const CHECKS_PER_READ = 10;

/**
 * Which titles each note names in its text, and the other way round. A title counts where no longer title
 * covers it. A change only marks what has to be read, so loading many notes reads each of them once; and
 * when a title comes or goes that very many notes name, those are read again over the next few calls.
 */
export class Mentions {
  readonly #trie: TitleTrie;
  readonly #postings: Postings;
  readonly #notes: readonly (StoredNote | undefined)[];
  /** Phrase and number of times, in pairs; undefined when the note has to be read. */
  readonly #lists: (Uint32Array | undefined)[] = [];
  readonly #namers: (number[] | undefined)[] = [];
  readonly #unread = new Set<number>();
  /** Read before a title came or went that they may name. */
  readonly #stale = new Set<number>();
  readonly #newPhrases = new Set<number>();
  #noteCount = 0;

  constructor(trie: TitleTrie, postings: Postings, notes: readonly (StoredNote | undefined)[]) {
    this.#trie = trie;
    this.#postings = postings;
    this.#notes = notes;
  }

  noteAdded(slot: number): void {
    this.#lists[slot] = undefined;
    this.#unread.add(slot);
    this.#noteCount++;
  }

  noteRemoved(slot: number): void {
    this.#noteCount--;
    this.#forget(slot);
    this.#unread.delete(slot);
    this.#stale.delete(slot);
  }

  phraseAdded(phrase: number): void {
    this.#newPhrases.add(phrase);
  }

  phraseRemoved(phrase: number): void {
    this.#newPhrases.delete(phrase);
    for (const slot of this.#namers[phrase] ?? []) {
      this.#lists[slot] = without(this.#lists[slot]!, phrase);
      this.#stale.add(slot);
    }
    this.#namers[phrase] = undefined;
  }

  /** Phrases that the note names and how often, as pairs in one array. */
  namedIn(slot: number): Uint32Array {
    return this.#lists[slot] ?? NOTHING;
  }

  /** Notes that name the phrase, in no particular order. */
  namersOf(phrase: number): readonly number[] {
    return this.#namers[phrase] ?? [];
  }

  /** Reads what is new, and what is stale up to a bound: the answers above hold until the next change. */
  settle(): void {
    this.#settle(Infinity, REREAD_AT_ONCE);
  }

  /** Reads so many notes of those that are new or stale; gives whether that is all of them. */
  settleSome(notes: number): boolean {
    this.#settle(notes, notes);
    return this.#unread.size === 0 && this.#stale.size === 0;
  }

  #settle(mostNew: number, mostStale: number): void {
    if (this.#newPhrases.size > 0) this.#findNotesWithNewPhrases();
    for (const slot of this.#unread.values().take(mostNew)) {
      this.#unread.delete(slot);
      this.#read(slot);
    }
    for (const slot of this.#stale.values().take(mostStale)) {
      this.#stale.delete(slot);
      this.#forget(slot);
      this.#read(slot);
    }
  }

  #findNotesWithNewPhrases(): void {
    let checks = 0;
    // After a load all notes will be read anyway.
    const phrases = this.#unread.size === this.#noteCount ? [] : this.#newPhrases;
    for (const phrase of phrases) {
      checks += this.#postings.frequency(this.#rarestTerm(this.#trie.termsOf(phrase)));
    }
    if (checks > this.#notes.length * CHECKS_PER_READ) {
      for (const note of this.#notes) if (note !== undefined) this.#reread(note.slot);
    } else {
      for (const phrase of phrases) this.#markNotesWith(this.#trie.termsOf(phrase));
    }
    this.#newPhrases.clear();
  }

  #markNotesWith(terms: readonly number[]): void {
    for (const posting of this.#postings.list(this.#rarestTerm(terms))) {
      const slot = posting >>> 8;
      if (this.#unread.has(slot) || this.#stale.has(slot)) continue;
      if (terms.length === 1 || containsPhrase(this.#notes[slot]!.sequence, terms)) this.#stale.add(slot);
    }
  }

  #rarestTerm(terms: readonly number[]): number {
    let rarest = terms[0]!;
    for (const term of terms) {
      if (this.#postings.frequency(term) < this.#postings.frequency(rarest)) rarest = term;
    }
    return rarest;
  }

  #reread(slot: number): void {
    this.#forget(slot);
    this.#stale.delete(slot);
    this.#unread.add(slot);
  }

  #forget(slot: number): void {
    const list = this.#lists[slot];
    if (list === undefined) return;
    for (let at = 0; at < list.length; at += 2) {
      const namers = this.#namers[list[at]!]!;
      namers[namers.indexOf(slot)] = namers[namers.length - 1]!;
      namers.pop();
    }
    this.#lists[slot] = undefined;
  }

  #read(slot: number): void {
    const { sequence, phrases } = this.#notes[slot]!;
    const counts = new Map<number, number>();
    let coveredUntil = 0;
    for (let at = 0; at < sequence.length; at++) {
      let node = this.#trie.step(0, sequence[at]!);
      let longest = 0;
      let end = at;
      for (let next = at + 1; node !== 0; next++) {
        if (this.#trie.ownersOf(node).length > 0) {
          longest = node;
          end = next;
        }
        node = next < sequence.length ? this.#trie.step(node, sequence[next]!) : 0;
      }
      if (longest === 0 || end <= coveredUntil) continue;
      coveredUntil = end;
      counts.set(longest, (counts.get(longest) ?? 0) + 1);
    }
    this.#remember(slot, counts, phrases);
  }

  #remember(slot: number, counts: ReadonlyMap<number, number>, own: readonly number[]): void {
    const list: number[] = [];
    for (const [phrase, count] of counts) {
      // A note does not name itself.
      if (own.includes(phrase)) continue;
      list.push(phrase, count);
      (this.#namers[phrase] ??= []).push(slot);
    }
    this.#lists[slot] = list.length === 0 ? NOTHING : Uint32Array.from(list);
  }
}

function without(list: Uint32Array, phrase: number): Uint32Array {
  return list.filter((_, at) => list[at - (at & 1)] !== phrase);
}

function containsPhrase(sequence: Uint32Array, terms: readonly number[]): boolean {
  const first = terms[0]!;
  for (let at = sequence.indexOf(first); at >= 0; at = sequence.indexOf(first, at + 1)) {
    let length = 1;
    while (length < terms.length && sequence[at + length] === terms[length]) length++;
    if (length === terms.length) return true;
  }
  return false;
}
