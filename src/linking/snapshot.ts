import type { StoredNote } from './stored-note.ts';
import { VaultStore } from './vault-store.ts';

/** What of an index is no note. */
export interface SnapshotStatistics {
  readonly engine: string;
  readonly meanNear: number;
  readonly changesSince: number;
}

interface SnapshotStrings extends SnapshotStatistics {
  readonly keys: readonly string[];
  /** How each key was first written; empty when as the key. */
  readonly surfaces: readonly string[];
  readonly ids: readonly string[];
  readonly titles: readonly string[];
  readonly versions: readonly number[];
}

// Read as a number of this machine's byte order: bytes of another order are foreign too.
const MAGIC = 0x6b6c3242;
const FORMAT = 3;
const HEADER_WORDS = 6;

/** All of a store in one piece: a header, the strings as JSON, the numbers as 32-bit words. */
export function writeSnapshot(store: VaultStore, statistics: SnapshotStatistics): Uint8Array {
  const keys: string[] = [];
  const surfaces: string[] = [];
  const numbers = new Uint32Array(store.lexicon.bound);
  for (let term = 1; term < store.lexicon.bound; term++) {
    const key = store.lexicon.keyOf(term);
    if (key === '') continue;
    const surface = store.lexicon.surfaceOf(term);
    numbers[term] = keys.push(key);
    surfaces.push(surface === key ? '' : surface);
  }
  const notes = [...store.all()];
  const strings: SnapshotStrings = {
    ...statistics,
    keys,
    surfaces,
    ids: notes.map(({ id }) => id),
    titles: notes.map(({ title }) => title),
    versions: notes.map(({ version }) => version),
  };
  const json = new TextEncoder().encode(JSON.stringify(strings));
  const jsonWords = Math.ceil(json.length / 4);
  const places = new Uint32Array(store.notes.length);
  notes.forEach(({ slot }, place) => (places[slot] = place));
  const noteWords = keys.length + notes.reduce((sum, note) => sum + wordsOf(note, store), 0);
  const words = new Uint32Array(HEADER_WORDS + jsonWords + noteWords);
  const bytes = new Uint8Array(words.buffer);
  bytes.set(json, HEADER_WORDS * 4);
  let at = HEADER_WORDS + jsonWords;
  for (const key of keys) {
    const list = store.postings.list(store.lexicon.find(key));
    words[at++] = list.length;
    for (const posting of list) words[at++] = (places[posting >>> 8]! << 8) | (posting & 255);
  }
  for (const note of notes) at = writeNote(note, store, numbers, words, at);
  words.set([MAGIC, FORMAT, json.length, noteWords]);
  words.set(checksum(words), 4);
  return bytes;
}

/** The store and statistics of a snapshot. Throws a plain `Error` when the bytes are not whole or foreign. */
export function readSnapshot(
  bytes: Uint8Array,
  engine: string,
): { readonly store: VaultStore; readonly statistics: SnapshotStatistics } {
  const words = alignedWords(bytes);
  if (words[0] !== MAGIC || words[1] !== FORMAT)
    throw new Error('not a snapshot of a link index of this format');
  const [low, high] = checksum(words);
  const jsonLength = words[2]!;
  const jsonWords = Math.ceil(jsonLength / 4);
  if (words[4] !== low || words[5] !== high || words.length !== HEADER_WORDS + jsonWords + words[3]!) {
    throw new Error('the snapshot of a link index is damaged');
  }
  const json = new Uint8Array(words.buffer, words.byteOffset + HEADER_WORDS * 4, jsonLength);
  const strings = JSON.parse(new TextDecoder().decode(json)) as SnapshotStrings;
  if (strings.engine !== engine) throw new Error(`a snapshot of engine ${strings.engine}, not ${engine}`);
  const store = new VaultStore();
  let at = HEADER_WORDS + jsonWords;
  strings.keys.forEach((key, index) => {
    const term = store.lexicon.restore(key, strings.surfaces[index]! || key);
    const length = words[at++]!;
    store.postings.restore(term, words.subarray(at, at + length));
    at += length;
  });
  // One copy, of which each note is a part: no bytes of the caller's stay alive, and no note needs its own.
  const noteWords = words.slice(at);
  let noteAt = 0;
  strings.ids.forEach((id, index) => {
    const title = strings.titles[index]!;
    noteAt = readNote({ id, title, version: strings.versions[index]! }, store, noteWords, noteAt);
  });
  return { store, statistics: strings };
}

function wordsOf(note: StoredNote, store: VaultStore): number {
  const names = note.phrases.reduce((sum, phrase) => sum + 1 + store.trie.termsOf(phrase).length, 0);
  // Each feature is written twice: in the list of its term, and here.
  return 3 + names + 2 * note.features.length + note.sequence.length;
}

function writeNote(
  note: StoredNote,
  store: VaultStore,
  numbers: Uint32Array,
  words: Uint32Array,
  start: number,
): number {
  let at = start;
  words[at++] = note.phrases.length;
  words[at++] = note.features.length;
  words[at++] = note.sequence.length;
  for (const phrase of note.phrases) {
    const terms = store.trie.termsOf(phrase);
    words[at++] = terms.length;
    for (const term of terms) words[at++] = numbers[term]!;
  }
  for (const feature of note.features) words[at++] = (numbers[feature >>> 8]! << 8) | (feature & 255);
  for (const term of note.sequence) words[at++] = numbers[term]!;
  return at;
}

function readNote(
  known: { readonly id: string; readonly title: string; readonly version: number },
  store: VaultStore,
  words: Uint32Array,
  start: number,
): number {
  let at = start + 3;
  const names: number[][] = [];
  for (let name = 0; name < words[start]!; name++) {
    const length = words[at]!;
    names.push([...words.subarray(at + 1, at + 1 + length)]);
    at += 1 + length;
  }
  const featuresEnd = at + words[start + 1]!;
  const end = featuresEnd + words[start + 2]!;
  const sequence = words.subarray(featuresEnd, end);
  const titleTerms = new Set(sequence.subarray(0, sequence.indexOf(0))).size;
  store.restore({ ...known, features: words.subarray(at, featuresEnd), sequence, titleTerms, names });
  return end;
}

function alignedWords(bytes: Uint8Array): Uint32Array {
  if (bytes.length < HEADER_WORDS * 4 || bytes.length % 4 !== 0)
    throw new Error('not a snapshot of a link index');
  // Copied by the constructor: `slice` of a Buffer is a view, as little aligned as before.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

/**
 * Two sums over all words but their own two places: against damage, not against forgery. Four sums run side
 * by side, because each step of one has to wait for the step before.
 */
function checksum(words: Uint32Array): [number, number] {
  let a = 0x811c9dc5;
  let b = words.length;
  let c = 0x9e3779b9;
  let d = 0xc2b2ae35;
  const header = [...words.subarray(0, 4), ...words.subarray(HEADER_WORDS, HEADER_WORDS + 2)];
  for (const word of header) a = stepped(a, word);
  let at = HEADER_WORDS + 2;
  for (; at + 3 < words.length; at += 4) {
    a = stepped(a, words[at]!);
    b = stepped(b, words[at + 1]!);
    c = stepped(c, words[at + 2]!);
    d = stepped(d, words[at + 3]!);
  }
  for (; at < words.length; at++) a = stepped(a, words[at]!);
  return [stepped(stepped(a, b), c) >>> 0, stepped(stepped(d, c), a) >>> 0];
}

function stepped(sum: number, word: number): number {
  const mixed = Math.imul(sum ^ word, 0x01000193);
  return mixed ^ (mixed >>> 15);
}
