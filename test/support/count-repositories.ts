import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// `npm run check:repositories`: what the one generic repository saves, in lines of code.
//
// Counted are the lines of src/storage that hold code: no blank ones, no comments. What is there: the generic base and,
// for each repository, its schema and the functions of its own. What writing each by hand would take: the same schemas
// and functions, and in each repository, in place of the base, a copy of just those of the base's methods that it is
// asked for anywhere in src, with whatever these call in their turn. That is a low estimate: a hand-written copy would
// name keys and types where the base has one variable, and nobody counts the tests of each copy.

const GOAL = 0.4;
/** So many equal lines after each other, in two repositories, count as written twice. */
const REPEATED_LINES = 4;

const ROOT = join(import.meta.dirname, '../..');
const COMMENT = /^\s*(\/\/|\/\*|\*)/;

const codeOf = (text: string): string[] =>
  text.split('\n').filter((line) => line.trim() !== '' && !COMMENT.test(line));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The blocks of a formatted file that begin with `start` at this indentation and end with a closing line at it. */
function blocks(text: string, start: RegExp, indent = ''): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>();
  let open: string[] | undefined;
  for (const line of codeOf(text)) {
    const name = open ? undefined : start.exec(line)?.[1];
    if (name !== undefined) found.set(name, (open = []));
    open?.push(line);
    const isEnd = line.startsWith(`${indent}}`) || (line.startsWith(indent) && line.endsWith(';') && name);
    if (open && isEnd && line.search(/\S/) === indent.length) open = undefined;
  }
  return found;
}

const baseText = read('src/storage/base-repository.ts');
const methods = blocks(baseText, /^ {2}(?:async )?\*?(#?\w+)\(.*\{$/, '  ');
const repositoriesText = read('src/storage/repositories.ts');
const schemas = blocks(repositoriesText, /^const (\w+): Schema</);
const functions = blocks(repositoriesText, /^function (\w+Repository)\(/);
const source = globSync('src/**/*.ts', { cwd: ROOT })
  .filter((path) => !path.endsWith('.test.ts'))
  .map(read)
  .join('\n');

/** The names of the base's methods that follow `pattern`'s match in the text. */
function asked(text: string, pattern: string): Set<string> {
  const names = Array.from(text.matchAll(new RegExp(`${pattern}\\.(\\w+)`, 'g')), ([, name = '']) => name);
  return new Set(names.filter((name) => methods.has(name)));
}

/** With whatever they call. */
function closure(names: ReadonlySet<string>): ReadonlySet<string> {
  const all = new Set(names);
  for (const name of all) {
    const body = methods.get(name)?.join('\n') ?? '';
    for (const [, called = ''] of body.matchAll(/this\.(#?\w+)\(/g)) if (methods.has(called)) all.add(called);
  }
  return all;
}

interface Repository {
  readonly name: string;
  readonly own: readonly string[];
  readonly uses: ReadonlySet<string>;
}

function repositoryOf(name: string, made: string): Repository {
  const own = functions.get(made.split('(')[0] ?? '') ?? [];
  const schema = /\((\w+), owner/.exec(own.length > 0 ? own.join('\n') : made)?.[1] ?? '';
  const uses = own.length > 0 ? asked(own.join('\n'), '\\bbase') : asked(source, `\\.${name}`);
  return { name, own: [...(schemas.get(schema) ?? []), ...own], uses: closure(uses) };
}

const [, table = ''] =
  /export function repositories\([^{]*\{\s*return \{([^}]*)\}/.exec(repositoriesText) ?? [];
const found = Array.from(table.matchAll(/(\w+): (?:new )?(\w+\([^)]*\))/g), ([, name = '', made = '']) =>
  repositoryOf(name, made),
);

const copied = ({ uses }: Repository): number =>
  [...uses].reduce((sum, method) => sum + (methods.get(method)?.length ?? 0), 0);
const baseLines = codeOf(baseText).length;
const ownLines = found.reduce((sum, { own }) => sum + own.length, 0);
const copiedLines = found.reduce((sum, repository) => sum + copied(repository), 0);
const here = baseLines + ownLines;
const byHand = ownLines + copiedLines;
const saving = 1 - here / byHand;

function repeatedLines(): number {
  const seenIn = new Map<string, string>();
  let repeated = 0;
  for (const { name, own } of found) {
    own.forEach((_, at) => {
      const lines = own.slice(at, at + REPEATED_LINES).map((line) => line.trim());
      if (lines.length < REPEATED_LINES) return;
      const other = seenIn.get(lines.join('\n'));
      if (other !== undefined && other !== name) repeated += 1;
      seenIn.set(lines.join('\n'), name);
    });
  }
  return repeated;
}

const rows = found.map((repository) => {
  const { name, own, uses } = repository;
  return `  ${name.padEnd(14)}${String(own.length).padStart(4)} own  ${String(copied(repository)).padStart(4)} of the base, by ${uses.size} methods`;
});
const percent = `${(saving * 100).toFixed(0)} %`;
const enough = saving >= GOAL && found.length > 1 && found.every(({ uses }) => uses.size > 0);
process.stdout.write(
  `${[
    `Repositories in lines of code: the base ${baseLines}, and`,
    ...rows,
    `With the base ${here}; each by hand ${byHand}: ${percent} less (goal: ${GOAL * 100} %).`,
    `Runs of ${REPEATED_LINES} equal lines in two repositories: ${repeatedLines()}.`,
  ].join('\n')}\n`,
);
process.exitCode = enough ? 0 : 1;
