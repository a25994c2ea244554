import { parseArgs } from 'node:util';

/** The value that `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Median, 99th percentile and worst, as cells of a table. */
export function spread(timesMs: readonly number[]): readonly string[] {
  return [0.5, 0.99, 1].map((share) => ms(percentile(timesMs, share)));
}

/** The median of repeats, and their range where there are more than one. */
export function median(values: readonly number[], digits = 0): string {
  const of = (share: number) => percentile(values, share).toFixed(digits);
  return values.length === 1 ? of(0) : `${of(0.5)} (${of(0)}–${of(1)})`;
}

export function ms(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

/** Whether a goal is met, or by how much not, as a cell. */
export function goal(value: number, most: number, unit: string): string {
  return `< ${most} ${unit}: ${value < most ? `met (${ms(value)})` : `MISSED by ${ms(value - most)}`}`;
}

/** A Markdown table. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Numbers from the command line, as `--notes 1000`. Throws for an option that is not known. */
export function numbers<T extends Readonly<Record<string, number>>>(standard: T): T {
  const options = Object.fromEntries(
    Object.keys(standard).map((name) => [name, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ options });
  const given = Object.entries(values).map(([name, text]) => [name, Number(text)] as const);
  return { ...standard, ...Object.fromEntries(given) };
}
