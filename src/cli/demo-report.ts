import type { Settings } from '../server/settings.ts';
import { commandFor } from './command-for.ts';
import { oneLine } from './screen.ts';
import { counted, holdings } from './counted.ts';

/** A note of the demo that is a person's by now. */
export interface Kept {
  readonly id: string;
  readonly label: string;
  /** `linked`: a person drew or accepted an edge at it. */
  readonly because: 'edited' | 'linked';
}

export interface DemoReport {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly kept: readonly Kept[];
  readonly failed: readonly { readonly key: string; readonly detail: string }[];
  /** Those that were made. */
  readonly categories: number;
  readonly references: number;
  readonly automatic: number;
  readonly graph: { readonly notes: number; readonly edges: number };
}

export interface Removal {
  readonly removed: number;
  readonly kept: readonly Kept[];
  readonly categories: { readonly removed: number; readonly kept: readonly string[] };
  readonly graph: { readonly notes: number; readonly edges: number };
}

const WORDS = { edited: 'changed by you', linked: 'an edge of yours is at it' } as const;

export function demoLines(report: DemoReport): string[] {
  const { automatic, graph, failed, kept } = report;
  const rows: readonly (readonly [string, string])[] = [
    ['created', String(report.created)],
    ['updated', String(report.updated)],
    ['unchanged', String(report.unchanged)],
    ['categories', `${report.categories} made`],
    ['links by hand', String(report.references)],
    ['by content', `${automatic < 0 ? '' : '+'}${automatic} links`],
    ['graph now', holdings(graph)],
  ];
  return [
    'The demo: notes on sleep, bread, tides, tuning and more',
    ...rows.map(([name, value]) => `  ${name.padEnd(13)} ${value}`),
    ...(failed.length === 0
      ? []
      : ['Not stored:', ...failed.map(({ key, detail }) => `  ${oneLine(key)}  ${oneLine(detail)}`)]),
    ...keptLines(kept, 'Kept as you have them; --force brings back what they said'),
  ];
}

export function removalLines({ removed, kept, categories, graph }: Removal): string[] {
  const nothing = removed + kept.length + categories.removed === 0;
  return [
    nothing
      ? `Nothing of the demo is here. The graph has ${holdings(graph)}.`
      : `Removed ${counted(removed, 'note')} and ${counted(categories.removed, 'category', 'categories')} of the demo. The graph has ${holdings(graph)}.`,
    ...keptLines(kept, 'Kept, because they are yours by now; --force removes them too'),
    ...(categories.kept.length === 0
      ? []
      : [
          'Categories kept, because something is in them:',
          ...categories.kept.map((path) => `  ${oneLine(path)}`),
        ]),
  ];
}

function keptLines(kept: readonly Kept[], title: string): string[] {
  if (kept.length === 0) return [];
  return [
    `${title} (${kept.length}):`,
    ...kept.map(({ label, because }) => `  ${oneLine(label)}  (${WORDS[because]})`),
  ];
}

interface Step {
  readonly command: string;
  readonly about: string;
}

/** What to look at once the demo is there, as it works from here. */
export function demoSteps(settings: Settings): readonly Step[] {
  const steps: readonly (readonly [string, string])[] = [
    ['why Tides Beats', 'what the sea has to do with tuning a piano'],
    ['why "Republic of Letters" "Harmonic series"', 'one friar in two stories'],
    ['search "body clock"', 'ranked, with the words in their places'],
    ['neighbors Caffeine --depth 2', 'from tea to sleep to bees'],
    ['show "Wood wide web"', 'a note with its links'],
    ['demo --remove', 'takes it all back'],
  ];
  return steps.map(([command, about]) => ({ command: commandFor(command, settings), about }));
}

export function stepLines(steps: readonly Step[]): string[] {
  const width = Math.max(...steps.map(({ command }) => command.length));
  return steps.map(({ command, about }) => `  ${command.padEnd(width)}  ${about}`);
}
