import { describe, expect, it } from 'vitest';
import { briefReasons, percent, reasonSentences } from './reasons.ts';

const ends = { self: 'Night', other: 'Sleep' };

describe('reasons in words', () => {
  it('says a naming from the side that is asked, whichever side told it', () => {
    const names = { kind: 'names', term: 'Sleep', contribution: 0.4 };
    const toldByOther = { kind: 'named-by', term: 'Night', contribution: 0.4 };
    expect(briefReasons([names], ends)).toBe('names it');
    expect(briefReasons([toldByOther], ends)).toBe('names it');
    expect(briefReasons([{ ...names, term: 'Night' }], ends)).toBe('named by it');
    expect(reasonSentences([names], ends)).toEqual(['"Night" names "Sleep" (40 %)']);
    expect(reasonSentences([{ ...names, kind: 'named-by' }], ends)).toEqual(['"Sleep" names "Night" (40 %)']);
  });

  it('does not say a naming twice', () => {
    const reasons = [
      { kind: 'names', term: 'Sleep', contribution: 0.4 },
      { kind: 'covers', term: 'Sleep', contribution: 0.2 },
      { kind: 'term', term: 'sleep', contribution: 0.1 },
      { kind: 'term', term: 'circadian', contribution: 0.1 },
      { kind: 'tag', term: '#health', contribution: 0.1 },
    ];
    expect(briefReasons(reasons, ends)).toBe('names it, circadian, #health');
    expect(briefReasons(reasons.slice(1, 4), ends)).toBe('the words of the title "Sleep", sleep, circadian');
  });

  it('gathers the shared terms in one sentence', () => {
    const reasons = [
      { kind: 'term', term: 'circadian', contribution: 0.38 },
      { kind: 'term', term: 'melatonin', contribution: 0.21 },
      { kind: 'link', term: 'the night', contribution: 1 },
    ];
    expect(reasonSentences(reasons, ends)).toEqual([
      'a person linked them, as "the night"',
      'shares: circadian (38 %), melatonin (21 %)',
    ]);
  });

  it('rounds no share down to nothing', () => {
    expect([percent(0), percent(0.001), percent(0.5)]).toEqual(['0 %', '<1 %', '50 %']);
  });
});
