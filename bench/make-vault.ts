import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface VaultNote {
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
}

export interface SyntheticVault {
  readonly notes: readonly VaultNote[];
  /** Sum of the characters of all texts. */
  readonly characters: number;
}

const VOCABULARY = 200_000;
/** Zipf-Mandelbrot: the share of a word falls as 1 / (rank + shift), as in natural text. */
const SHIFT = 2.7;
/** The commonest words of English in their order, for they are what every text is mostly made of. */
const FUNCTION_WORDS = (
  'the of and to a in is that it was for on as with be by at this are have from or had an but not they which one ' +
  'you were all her she there would their we him been has when who will no more if out so up said what its about ' +
  'than into them can only other time new some could these two may first then do any like my now over such our'
).split(' ');
const TOPIC_NOTES = 20;
const TOPIC_WORDS = 40;
const TOPIC_SHARE = 0.2;
const SENTENCE_WORDS = 14;
const PARAGRAPH_SENTENCES = 5;
const MENTIONING_PARAGRAPHS = 0.9;
const FOLDERS = 25;
/** Of about 1,500 characters; half of the notes have between 900 and 2,000. */
const MEAN_WORDS = 235;

export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A pronounceable word for a rank: commoner ones are shorter, as they are in every language. */
function wordOf(rank: number): string {
  const common = FUNCTION_WORDS[rank];
  if (common !== undefined) return common;
  let word = '';
  for (let rest = rank; rest > 0; rest = Math.floor(rest / 70)) {
    word += 'bcdfghklmnprtv'.charAt(rest % 14) + 'aeiou'.charAt(Math.floor(rest / 14) % 5);
  }
  return word;
}

/** Notes of topics, in sentences of an unevenly common vocabulary, with links to notes before them. */
export function syntheticVault(count: number, seed = 1): SyntheticVault {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const anyWord = (): string =>
    wordOf(Math.floor(SHIFT * (Math.exp(random() * Math.log(1 + VOCABULARY / SHIFT)) - 1)));
  const topicWord = (topic: number): string =>
    wordOf(200 + ((topic * 137 + below(TOPIC_WORDS) * 61) % VOCABULARY));
  const titles: string[] = [];
  const known = new Set<string>();
  const topics: number[][] = [];

  function sentence(topic: number): string {
    const words = Array.from({ length: SENTENCE_WORDS - 5 + below(11) }, () =>
      random() < TOPIC_SHARE ? topicWord(topic) : anyWord(),
    );
    const text = words.join(' ');
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  }

  /** What a person would write of another note, mostly of the topic: a link to it, or only its name. */
  function mention(topic: number): string {
    const near = topics[topic] ?? [];
    const at = near.length > 0 && random() < 0.8 ? near[below(near.length)]! : below(titles.length);
    return random() < 0.5 ? `See [[${titles[at]}]].` : `As said of ${titles[at]!.toLowerCase()}.`;
  }

  function newTitle(topic: number): string {
    for (let title = topicWord(topic); ; title += ` ${anyWord()}`) {
      if (title.includes(' ') && !known.has(title)) return title;
    }
  }

  const notes = Array.from({ length: count }, (_, at): VaultNote => {
    const topic = below(Math.ceil(count / TOPIC_NOTES));
    const wordsWanted = Math.round(MEAN_WORDS * (0.4 + 0.6 * (random() + random())));
    const paragraphs: string[] = [];
    for (let words = 0; words < wordsWanted; words += SENTENCE_WORDS * PARAGRAPH_SENTENCES) {
      const sentences = Array.from({ length: PARAGRAPH_SENTENCES }, () => sentence(topic));
      if (titles.length > 0 && random() < MENTIONING_PARAGRAPHS) sentences.push(mention(topic));
      paragraphs.push(sentences.join(' '));
    }
    const title = newTitle(topic);
    (topics[topic] ??= []).push(at);
    titles.push(title);
    known.add(title);
    return { title, text: paragraphs.join('\n\n'), tags: [`topic-${topic}`] };
  });
  return { notes, characters: notes.reduce((sum, note) => sum + note.text.length, 0) };
}

/** Writes the notes as a vault of Markdown, in folders. */
export function writeVault(folder: string, { notes }: SyntheticVault): void {
  for (let at = 0; at < FOLDERS; at++) mkdirSync(join(folder, `folder ${at}`), { recursive: true });
  notes.forEach(({ title, text, tags }, at) => {
    const path = join(folder, `folder ${at % FOLDERS}`, `${title}.md`);
    writeFileSync(path, `---\ntags: [${tags.join(', ')}]\n---\n# ${title}\n\n${text}\n`);
  });
}

/** Searches as people write them; each finds something. */
export const QUERY_KINDS = ['rare word', 'common word', 'two words', 'three words', 'prefix'] as const;
export type QueryKind = (typeof QUERY_KINDS)[number];

export function query(kind: QueryKind, { notes }: SyntheticVault, random: () => number): string {
  const note = notes[Math.floor(random() * notes.length)]!;
  const words = note.text.toLowerCase().match(/[a-z]+/g) ?? [];
  const any = (): string => words[Math.floor(random() * words.length)] ?? '';
  switch (kind) {
    case 'rare word':
      return words.reduce((longest, word) => (word.length > longest.length ? word : longest), any());
    case 'common word':
      return wordOf(100 + Math.floor(random() * 200));
    case 'two words':
      return `${any()} ${any()}`;
    case 'three words':
      return `${any()} ${any()} ${any()}`;
    case 'prefix':
      return `${any()} ${wordOf(300 + Math.floor(random() * 5_000)).slice(0, 3)}`;
    default:
      throw new Error(`not a kind of query: ${String(kind satisfies never)}`);
  }
}
