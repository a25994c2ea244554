import type { Edge, Reason } from '../api/v2.ts';
import { oneLine } from './screen.ts';

/** The two ends of an edge by their titles; `self` is the one that speaks. */
export interface Ends {
  readonly self: string;
  readonly other: string;
}

const BRIEF = 4;

/** "names it, circadian, melatonin": for a line that shows the other note already. */
export function briefReasons(reasons: readonly Reason[], ends: Ends): string {
  const named = reasons.some(({ kind }) => kind === 'names' || kind === 'named-by');
  const titles = [ends.self, ends.other].map((title) => title.toLowerCase());
  // Where one names the other, that their titles are in the texts says the same again.
  const telling = reasons.filter(({ kind, term }) => {
    if (!named || kind === 'names' || kind === 'named-by' || kind === 'link') return true;
    return kind !== 'covers' && !titles.includes(term.toLowerCase());
  });
  return telling
    .slice(0, BRIEF)
    .map((reason) => brief(reason, ends))
    .join(', ');
}

function brief(reason: Reason, ends: Ends): string {
  const term = oneLine(reason.term);
  switch (reason.kind) {
    case 'names':
    case 'named-by':
      return selfNames(reason, ends) ? 'names it' : 'named by it';
    case 'covers':
      return `the words of the title "${term}"`;
    case 'link':
      return term === '' ? 'a link' : `link "${term}"`;
    case 'tag':
      return tagged(term);
    default:
      return term;
  }
}

/** A sentence for each naming, link and title, and one for all the shared terms. */
export function reasonSentences(reasons: readonly Reason[], ends: Ends): string[] {
  const sentences: string[] = [];
  const shared: string[] = [];
  for (const reason of reasons) {
    const term = oneLine(reason.term);
    const share = `(${percent(reason.contribution)})`;
    switch (reason.kind) {
      case 'names':
      case 'named-by': {
        const [namer, named] = selfNames(reason, ends) ? [ends.self, ends.other] : [ends.other, ends.self];
        sentences.push(`"${oneLine(namer)}" names "${oneLine(named)}" ${share}`);
        break;
      }
      case 'covers':
        sentences.push(`the words of the title "${term}" are in the other text ${share}`);
        break;
      case 'link':
        sentences.push(term === '' ? 'a person linked them' : `a person linked them, as "${term}"`);
        break;
      default:
        shared.push(`${reason.kind === 'tag' ? tagged(term) : term} ${share}`);
    }
  }
  return shared.length === 0 ? sentences : [...sentences, `shares: ${shared.join(', ')}`];
}

/**
 * Which of the two names the other. A reason is told from the side of the note that was linked, which may be either
 * end; the title in it is always that of the note across.
 */
function selfNames(reason: Reason, { self, other }: Ends): boolean {
  const toldByOther = reason.term === self && self !== other;
  return (reason.kind === 'names') !== toldByOther;
}

function tagged(tag: string): string {
  return tag.startsWith('#') ? tag : `#${tag}`;
}

export function percent(share: number): string {
  const rounded = Math.round(share * 100);
  return rounded === 0 && share > 0 ? '<1 %' : `${rounded} %`;
}

const TYPES: Readonly<Record<string, string>> = {
  related: 'found by content',
  reference: 'a link in the text',
  manual: 'drawn by hand',
};

/** What an edge of this type is, in words. */
export function typeInWords(type: Edge['type']): string {
  return TYPES[type] ?? type;
}
