/** How often something happened: in all under '', or by a label. */
interface Counted {
  get(label?: string): number;
  readonly all: Iterable<readonly [string, number]>;
}

/** For each bound how many did not exceed it and exceeded the one before; the last are above all. */
export interface Distributed {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

// Metrics in the text format of Prometheus (version 0.0.4), a line each.

export const nameOf = (name: string): string => `brain2_${name}`;

export function head(name: string, help: string, type: 'counter' | 'gauge' | 'histogram'): string[] {
  return [`# HELP ${nameOf(name)} ${help}`, `# TYPE ${nameOf(name)} ${type}`];
}

export function gauge(name: string, help: string, value: number | Counted, label?: string): string[] {
  const values = typeof value === 'number' ? [`${nameOf(name)} ${value}`] : counts(name, value, label);
  return [...head(name, help, 'gauge'), ...values];
}

export function counter(name: string, help: string, counted: Counted, label?: string): string[] {
  return [...head(name, help, 'counter'), ...counts(name, counted, label)];
}

/** A label is a code or a reason of a closed set, so it needs no escaping. */
function counts(name: string, counted: Counted, label: string | undefined): string[] {
  return label === undefined
    ? [`${nameOf(name)} ${counted.get()}`]
    : [...counted.all].map(([value, count]) => `${nameOf(name)}{${label}="${value}"} ${count}`);
}

export function histogram(name: string, help: string, distributed: Distributed, unit: number): string[] {
  return [...head(name, help, 'histogram'), ...buckets(name, '', distributed, unit)];
}

/** The lines of one series of a histogram. Labels are written as they are: `method="GET",route="/livez"`. */
export function buckets(
  name: string,
  labels: string,
  { bounds, counts, sum }: Distributed,
  unit: number,
): string[] {
  let total = 0;
  const more = labels && `,${labels}`;
  const lines = counts.map((count, at) => {
    total += count;
    const bound = bounds[at];
    return `${nameOf(name)}_bucket{le="${bound === undefined ? '+Inf' : bound * unit}"${more}} ${total}`;
  });
  const of = labels && `{${labels}}`;
  return [...lines, `${nameOf(name)}_sum${of} ${sum * unit}`, `${nameOf(name)}_count${of} ${total}`];
}
