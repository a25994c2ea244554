import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENGINE_VERSION, LinkIndex, materiallyChanged } from './link-index.ts';
import type { LinkableNote, Related } from './link-index.ts';
import { readSnapshot } from './snapshot.ts';

function note(id: string, title: string, text: string, more: Partial<LinkableNote> = {}): LinkableNote {
  return { id, title, text, aliases: [], tags: [], version: 1, ...more };
}

function indexOf(notes: readonly LinkableNote[]): LinkIndex {
  const index = new LinkIndex();
  for (const each of notes) index.put(each);
  return index;
}

/** What may not hang on history: all but the form in which a term was first written. */
function ranking(related: readonly Related[]): unknown {
  return related.map(({ id, weight, reasons }) => ({
    id,
    weight,
    reasons: reasons.map(({ kind, contribution }) => `${kind} ${contribution.toFixed(9)}`),
  }));
}

function rankings(index: LinkIndex): Record<string, unknown> {
  index.settle();
  return Object.fromEntries([...index.ids()].sort().map((id) => [id, ranking(index.related(id))]));
}

const GARDEN = [
  note('soil', 'Soil', 'Compost feeds the soil and its worms.', { tags: ['garden'] }),
  note('compost', 'Compost', 'Kitchen scraps and leaves turn into soil.', { tags: ['garden'] }),
  note('bread', 'Sourdough bread', 'Flour, water and a starter.'),
  note('starter', 'Starter', 'Feed it flour and water for sourdough bread.'),
  note('stars', 'Betelgeuse', 'A red supergiant in Orion.'),
];

const words = fc.constantFrom(
  'soil',
  'compost',
  'bread',
  'starter',
  'worm',
  'flour',
  'Orion',
  '土壤',
  '데이터',
  'почва',
);
const sentence = fc.array(words, { maxLength: 12 }).map((list) => list.join(' '));
const anyNote = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
  title: fc.array(words, { maxLength: 3 }).map((list) => list.join(' ')),
  aliases: fc.array(words, { maxLength: 1 }),
  tags: fc.array(words, { maxLength: 2 }),
  text: sentence,
  version: fc.nat(9),
});
const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('put' as const), note: anyNote }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), note: anyNote }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ask' as const), note: anyNote }) },
);

function applied(
  changes: readonly { readonly kind: 'put' | 'remove' | 'ask'; readonly note: LinkableNote }[],
) {
  const index = new LinkIndex();
  const survivors = new Map<string, LinkableNote>();
  for (const { kind, note } of changes) {
    if (kind === 'put') {
      index.put(note);
      survivors.set(note.id, note);
    } else if (kind === 'remove') {
      if (index.remove(note.id) !== survivors.delete(note.id)) throw new Error('remove told an untruth');
    } else {
      index.related(note.id);
      index.preview(note);
      index.explain(note, { ...note, id: 'elsewhere' });
    }
  }
  return { index, survivors: [...survivors.values()] };
}

describe('history', () => {
  it('rankings and searches are those of a fresh index of the surviving notes, in whatever order they came', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const { index, survivors } = applied(changes);
        const fresh = indexOf(survivors.reverse());
        expect(index.size).toBe(survivors.length);
        expect(rankings(index)).toEqual(rankings(fresh));
        for (const query of ['soil', 'compost flo', '土壤']) {
          const hits = (of: LinkIndex) =>
            of.search(query).map(({ id, score }) => `${id} ${score.toFixed(9)}`);
          expect(hits(index)).toEqual(hits(fresh));
        }
      }),
    );
  });

  it('the same notes under other ids, in another order, have the same weights', () => {
    const texts = Array.from({ length: 400 }, (_, at) =>
      Array.from({ length: 12 }, (_, word) => `w${((at * 7 + word * word) % 97) + (at % 5) * word}`).join(
        ' ',
      ),
    );
    const weights = (idOf: (at: number) => string, order: 1 | -1) => {
      const notes = texts.map((text, at) => note(idOf(at), `T${at}`, text));
      const index = indexOf(order === 1 ? notes : notes.reverse());
      index.settle();
      return texts.map((_, at) => index.related(idOf(at)).map(({ weight }) => weight));
    };
    expect(weights((at) => `b${at * 7919}`, -1)).toEqual(weights((at) => `a${at}`, 1));
  });

  it('takes the mean of near notes again where one in 16 has changed, or where it is to be exact', () => {
    const textOf = (at: number) =>
      Array.from({ length: 12 }, (_, word) => `w${(at * 7 + word * word) % 97}`).join(' ');
    const notes = Array.from({ length: 340 }, (_, at) => note(`n${at}`, `T${at}`, textOf(at)));
    const index = indexOf(notes.slice(0, 300));
    index.settle();
    const mean = () => readSnapshot(index.serialize(), ENGINE_VERSION).statistics.meanNear;
    const settled = (exact: boolean): number => {
      while (!index.settleSome({ exact }));
      return mean();
    };
    const first = mean();
    for (const one of notes.slice(300, 310)) index.put(one);
    expect(settled(false)).toBe(first);
    const second = settled(true);
    expect(second).not.toBe(first);
    for (const one of notes.slice(310)) index.put(one);
    const third = settled(false);
    expect(third).not.toBe(second);
    expect(settled(true)).toBe(third);
  });

  it('notes whose terms have one digest, in whatever order they came, leave all weights as they are', () => {
    // Their counts of "next" and "prev" are swapped, which the sum that is their digest does not tell.
    const swapped = [
      note('next', 'Next', 'The page after.'),
      note('prev', 'Prev', 'The page after.'),
      note('tags-a', 'Pager', 'next prev', { tags: ['next'] }),
      note('tags-b', 'Pager', 'next prev', { tags: ['prev'] }),
      note('alias-a', 'Turning', 'next prev', { aliases: ['next'] }),
      note('alias-b', 'Turning', 'next prev', { aliases: ['prev'] }),
      note('words-a', 'Leaf', 'north wind east gate'),
      note('words-b', 'Leaf', 'gate north east wind'),
    ];
    const others = [note('chapter', 'Next chapter', 'Next comes next.'), note('wind', 'East wind', 'Dust.')];
    const one = rankings(indexOf([...others, ...swapped]));
    expect(rankings(indexOf([...others, ...swapped.toReversed()]))).toEqual(one);
    expect(
      rankings(LinkIndex.deserialize(indexOf([...swapped.toReversed(), ...others]).serialize())),
    ).toEqual(one);
  });

  it('a snapshot gives the same answers as the index that wrote it, and goes on from there', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), anyNote, (changes, added) => {
        const { index } = applied(changes);
        const loaded = LinkIndex.deserialize(index.serialize());
        expect(rankings(loaded)).toEqual(rankings(index));
        for (const each of [index, loaded]) each.put(added);
        expect(rankings(loaded)).toEqual(rankings(index));
        expect(loaded.versionOf(added.id)).toBe(added.version);
      }),
    );
  });

  it('a preview ranks as the note would once it is put, and leaves the index as it was', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), anyNote, (changes, added) => {
        const { index } = applied(changes);
        const before = rankings(index);
        const preview = index.preview(added).map(({ id }) => id);
        expect(rankings(index)).toEqual(before);
        expect(index.preview(added).map(({ id }) => id)).toEqual(preview);
        index.put(added);
        expect(new Set(index.related(added.id).map(({ id }) => id))).toEqual(new Set(preview));
      }),
    );
  });
});

describe('links', () => {
  it('a weight lies between 0 and 1 and is the same from both sides', () => {
    fc.assert(
      fc.property(fc.array(anyNote, { maxLength: 8 }), (notes) => {
        const index = indexOf(notes);
        for (const id of index.ids()) {
          for (const { id: other, weight } of index.related(id)) {
            expect(weight).toBeGreaterThan(0);
            expect(weight).toBeLessThan(1);
            const back = index.related(other).find((each) => each.id === id);
            expect(back?.weight).toBe(weight);
          }
        }
      }),
    );
  });

  it('a note that names another comes first and says so, from both sides', () => {
    const index = indexOf(GARDEN);
    const [first] = index.related('starter');
    expect(first?.id).toBe('bread');
    expect(first?.reasons.some(({ kind, term }) => kind === 'names' && term === 'Sourdough bread')).toBe(
      true,
    );
    const back = index.related('bread').find(({ id }) => id === 'starter');
    expect(back?.reasons.some(({ kind, term }) => kind === 'named-by' && term === 'Starter')).toBe(true);
  });

  it('a title counts where no longer title covers it', () => {
    const index = indexOf([...GARDEN, note('short', 'Bread', 'Crust and crumb.')]);
    const named = index
      .related('starter')
      .filter(({ reasons }) => reasons.some(({ kind }) => kind === 'names'));
    expect(named.map(({ id }) => id)).toEqual(['bread']);
  });

  it('an older note that names a new one is found from it', () => {
    const index = indexOf([...GARDEN]);
    index.related('stars');
    index.put(note('orion', 'Orion', 'A hunter.'));
    expect(index.related('orion')[0]?.id).toBe('stars');
    index.remove('orion');
    expect(index.related('stars')).toEqual([]);
  });

  it('an alias is a name', () => {
    const index = indexOf([
      ...GARDEN,
      note('k', 'Kubernetes', 'Pods.', { aliases: ['k8s'] }),
      note('x', 'Log', 'Moved to k8s'),
    ]);
    expect(index.related('x')[0]?.reasons[0]?.kind).toMatch(/names|covers|term/);
    expect(index.related('x')[0]?.id).toBe('k');
  });

  it('reasons are at most eight, strongest first, in the words of the notes, and shares of one whole', () => {
    const index = indexOf(GARDEN);
    const [first] = index.related('soil');
    const shares = first!.reasons.map(({ contribution }) => contribution);
    expect(shares.length).toBeLessThanOrEqual(8);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
    expect(first!.reasons.map(({ kind, term }) => `${kind} ${term}`)).toContain('tag #garden');
  });

  it('a note keeps what weighs 0.15 or more, else its best three of at least 0.03, and 15 at most', () => {
    const related = (weights: readonly number[]): Related[] =>
      weights.map((weight, at) => ({ id: `${at}`, weight, reasons: [] }));
    const index = new LinkIndex();
    expect(index.kept(related([0.9, 0.15, 0.1, 0.1])).map(({ weight }) => weight)).toEqual([0.9, 0.15, 0.1]);
    expect(index.kept(related([0.1, 0.02, 0.01])).map(({ weight }) => weight)).toEqual([0.1]);
    expect(index.kept(related(Array.from({ length: 30 }, () => 0.5))).length).toBe(15);
  });

  it('the links of a note are what it keeps of its related notes', () => {
    fc.assert(
      fc.property(fc.array(anyNote, { maxLength: 8 }), (notes) => {
        const index = indexOf(notes);
        for (const id of index.ids()) expect(index.links(id)).toEqual(index.kept(index.related(id)));
        expect(index.links('nobody')).toEqual([]);
      }),
    );
  });

  it('a note that is not stored has no related notes', () => {
    expect(indexOf(GARDEN).related('nobody')).toEqual([]);
    expect(indexOf([GARDEN[0]!]).related('soil')).toEqual([]);
  });
});

describe('explanations', () => {
  it('an explanation gives the weight of the ranking, as the sum of its components', () => {
    const index = indexOf(GARDEN);
    const [first] = index.related('starter');
    const explanation = index.explain(GARDEN[3]!, GARDEN[2]!);
    expect(explanation.weight).toBe(first!.weight);
    const sum = explanation.components.reduce((total, { product }) => total + product, 0);
    expect(explanation.logit).toBeCloseTo(sum, 9);
  });

  it('spans are where the words stand in the text as it was given, markup and all', () => {
    const a = note('a', 'A', '**Flour** <!-- flour --> and [flour](http://flour.example)');
    const b = note('b', 'B', 'ﬂour and Flours');
    const match = new LinkIndex().explain(a, b).matches.find(({ term }) => term.toLowerCase() === 'flour');
    expect(match?.a.map(({ start, end }) => a.text.slice(start, end))).toEqual(['Flour', 'flour']);
    expect(match?.b.map(({ start, end }) => b.text.slice(start, end))).toEqual(['ﬂour', 'Flours']);
  });

  it('explaining notes that are not stored leaves the index as it was', () => {
    const index = indexOf(GARDEN);
    const before = rankings(index);
    index.explain(note('soil', 'Soil', 'Something else', { version: 2 }), note('new', 'New', 'Compost'));
    expect(rankings(index)).toEqual(before);
    expect(index.has('new')).toBe(false);
  });
});

describe('search', () => {
  const index = indexOf(GARDEN);

  it('a title counts for more than a mention', () => {
    expect(index.search('compost').map(({ id }) => id)).toEqual(['compost', 'soil']);
  });

  it('the last word may be unfinished, and a word that nobody wrote mistyped, unless told otherwise', () => {
    expect(index.search('supergi')[0]?.id).toBe('stars');
    expect(index.search('supergi', { prefix: false, typo: false })).toEqual([]);
    expect(index.search('betelgesue orion')[0]?.id).toBe('stars');
    expect(index.search('betelgesue', { typo: false })).toEqual([]);
  });

  it('a last word that was said before, or is one too many, is not the beginning of another', () => {
    const index = indexOf([note('tea', 'Tea', 'tea'), note('green', 'Leaf', 'green tea')]);
    expect(index.search('tea green tea')).toEqual(index.search('tea green', { prefix: false }));
    const many = Array.from('abcdefghijklmnop', (letter) => letter.repeat(4)).join(' ');
    expect(index.search(`${many} tea`)).toEqual([]);
  });

  it('hits name what was found, and are no more than asked for', () => {
    expect(index.search('flour')[0]?.keys).toEqual(['flour']);
    expect(index.search('flour', { limit: 1 })).toHaveLength(1);
    expect(index.search('flour', { limit: 0 })).toEqual([]);
  });

  it('a query of nothing, of signs or of unknown words finds nothing', () => {
    for (const query of ['', '   ', '!?', '\ud800', 'xyzzyxyzzy', 'q'.repeat(100_000)]) {
      expect(index.search(query)).toEqual([]);
    }
  });
});

describe('fingerprints', () => {
  const text = Array.from({ length: 200 }, (_, at) => `word${at}`).join(' ');

  it('are 16 hexadecimal digits that hang on the words alone', () => {
    const index = new LinkIndex();
    const fingerprint = index.fingerprint(note('a', 'T', text));
    expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(indexOf(GARDEN).fingerprint(note('b', 'T', `${text}!`, { version: 9 }))).toBe(fingerprint);
  });

  it('a word more changes nothing material, another text does', () => {
    const index = new LinkIndex();
    const before = index.fingerprint(note('a', 'T', text));
    expect(materiallyChanged(before, index.fingerprint(note('a', 'T', `${text} more`)))).toBe(false);
    expect(materiallyChanged(before, index.fingerprint(note('a', 'T', text.replaceAll('word', 'mot'))))).toBe(
      true,
    );
    expect(() => materiallyChanged(before, 'x')).toThrow('no fingerprint');
  });
});

describe('snapshots', () => {
  it('foreign, cut and damaged bytes are refused by name', () => {
    const bytes = indexOf(GARDEN).serialize();
    expect(() => LinkIndex.deserialize(new Uint8Array(0))).toThrow('not a snapshot');
    expect(() => LinkIndex.deserialize(new Uint8Array(400))).toThrow('not a snapshot');
    expect(() => LinkIndex.deserialize(bytes.slice(0, bytes.length - 4))).toThrow('damaged');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice();
        damaged[at]! ^= flip;
        expect(() => LinkIndex.deserialize(damaged)).toThrow(/snapshot/);
      }),
    );
  });

  it.each([1, 2, 3])('bytes at offset %i of a larger buffer, of either kind, are read', (offset) => {
    const bytes = indexOf(GARDEN).serialize();
    const shifted = new Uint8Array(bytes.length + offset);
    shifted.set(bytes, offset);
    expect(LinkIndex.deserialize(shifted.subarray(offset)).size).toBe(GARDEN.length);
    expect(LinkIndex.deserialize(Buffer.from(shifted).subarray(offset)).size).toBe(GARDEN.length);
  });
});

describe('strange notes', () => {
  it('any strings at all are taken, ranked and restored', () => {
    const strange = fc.string({ unit: 'binary', maxLength: 60 });
    const lone = fc.constantFrom(
      '\ud83d',
      '\udc00x',
      '😀 a\nb',
      '\u0000',
      '``` [[ <a %% ](',
      '__proto__',
      '가나다라',
    );
    const any = fc.oneof(strange, lone);
    const notes = fc.array(
      fc.record({
        id: any,
        title: any,
        aliases: fc.array(any),
        tags: fc.array(any),
        text: any,
        version: fc.nat(),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(notes, any, (list, query) => {
        const index = indexOf(list);
        const loaded = LinkIndex.deserialize(index.serialize());
        expect(rankings(loaded)).toEqual(rankings(index));
        expect([...loaded.ids()].sort()).toEqual([...index.ids()].sort());
        expect(loaded.search(query)).toEqual(index.search(query));
        for (const each of list) index.remove(each.id);
        expect(index.size).toBe(0);
      }),
    );
  });

  it('a note of 20,000 words among others, and 50,000 distinct tags, are linked', () => {
    const long = Array.from({ length: 20_000 }, (_, at) => `w${at % 9_000}`).join(' ');
    const index = indexOf([...GARDEN, note('long', 'Long', `${long} Orion`)]);
    for (let at = 0; at < 1_000; at++) {
      index.put(
        note(`t${at}`, `T${at}`, '', { tags: Array.from({ length: 50 }, (_, tag) => `tag${at * 50 + tag}`) }),
      );
    }
    expect(index.related('long')[0]?.id).toBe('stars');
    expect(index.related('t7')).toBeDefined();
  });
});
