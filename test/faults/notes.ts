import type { ImportNote } from '../../src/api/v2-imports.ts';
import { seeded, type Random } from './seed.ts';

const SYLLABLES = ['ka', 'lo', 'mi', 're', 'su', 'ta', 'vo', 'ne', 'pi', 'du', 'gra', 'sel', 'bor', 'tin'];
const TOPIC_NOTES = 8;
const TOPIC_WORDS = 12;

function word(number: number): string {
  let text = '';
  for (let rest = number + SYLLABLES.length; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) {
    text += SYLLABLES[rest % SYLLABLES.length]!;
  }
  return text;
}

/** A text of about 60 words: half of them of its topic, so that it is linked to the others of that. */
export function textOf(topic: number, random: Random): string {
  const words = Array.from({ length: 60 }, () =>
    random.below(2) === 0 ? word(topic * TOPIC_WORDS + random.below(TOPIC_WORDS)) : word(random.below(4_000)),
  );
  return `${words.join(' ')}.`;
}

/** Notes as an import sends them. Each is of a topic that eight share, and links to up to two notes before it. */
export function vaultNotes(count: number, seed: number): readonly ImportNote[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, at) => {
    const topic = Math.floor(at / TOPIC_NOTES);
    const targets = at === 0 ? [] : [random.below(at), random.below(at)].slice(0, random.below(3));
    return {
      key: `vault/${at}.md`,
      path: `vault/${at}.md`,
      title: `${word(topic * TOPIC_WORDS)} number ${at}`,
      content: textOf(topic, random),
      tags: [`topic/${topic}`],
      links: [...new Set(targets)].map((target) => ({
        target: `vault/${target}.md`,
        text: `note ${target}`,
      })),
    };
  });
}
