import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/**
 * What each folder of `src` may import, besides itself and `shared`. A folder that is not named here fails the test:
 * a new one is a decision.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  domain: [],
  api: [],
  vault: [],
  linking: ['domain'],
  storage: ['domain'],
  services: ['domain', 'linking', 'storage'],
  http: ['domain', 'api', 'services'],
  realtime: ['domain', 'api', 'services', 'storage'],
  client: ['api'],
  cli: ['domain', 'api', 'client', 'server', 'vault'],
  server: ['domain', 'linking', 'storage', 'vault', 'services', 'api', 'http', 'realtime', 'client', 'cli'],
  aws: ['domain', 'linking', 'storage', 'vault', 'services', 'api', 'http', 'realtime', 'client', 'server'],
};

/** Read for the version. */
const PACKAGE = 'package.json';
const ENGINES = ['src/storage/embedded', 'src/storage/dynamodb'];
const MAY_IMPORT_ENGINES = ['server', 'aws'];
/** No clock, no randomness, no process, no timers, no I/O: the same input always gives the same answer. */
const PURE = ['domain', 'linking'];
const MOST_LINES = 400;

interface Import {
  /** As written: a path or a package. */
  readonly specifier: string;
  /** From the root of the repository, for a path. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
}

interface Source {
  readonly path: string;
  readonly folder: string;
  readonly isTest: boolean;
  /** Without comments. */
  readonly code: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

// Strings are kept, so that '//' in one is not taken for a comment.
const COMMENT = /('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
const STATIC =
  /^[ \t]*(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s*'([^']+)'|^[ \t]*import\s*'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*['"`]([^'"`]+)['"`]|\bimport\.meta\.resolve\(\s*'([^']+)'/g;

function importsOf(path: string, code: string): readonly Import[] {
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    const target = specifier.startsWith('.')
      ? relative(ROOT, join(ROOT, dirname(path), specifier))
      : undefined;
    found.push({ specifier, target, typeOnly });
  };
  for (const [, type, names, from, bare] of code.matchAll(STATIC)) {
    const named = /^\{(.*)\}$/s
      .exec(names ?? '')?.[1]
      ?.split(',')
      .map((name) => name.trim());
    const onlyTypes = named?.filter((name) => name !== '').every((name) => name.startsWith('type ')) ?? false;
    add(from ?? bare ?? '', type !== undefined || onlyTypes);
  }
  for (const [, from, resolved] of code.matchAll(DYNAMIC)) add(from ?? resolved ?? '', false);
  return found;
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const code = text.replace(COMMENT, (_match, string: string | undefined) => string ?? '');
  const folder = path.startsWith('src/') ? (path.split('/')[1] ?? '') : '';
  return {
    path,
    folder,
    isTest: /\.(test|bench)\.ts$/.test(path),
    code,
    text,
    imports: importsOf(path, code),
  };
}

const FILES = globSync('{src,test,bench}/**/*.ts', { cwd: ROOT }).toSorted().map(read);
const SRC = FILES.filter((file) => file.path.startsWith('src/'));
const PRODUCT = SRC.filter((file) => !file.isTest);
const folderOf = (path: string): string =>
  path.startsWith('src/') ? (path.split('/')[1] ?? '') : (path.split('/')[0] ?? '');
const isEngine = (path: string): boolean => ENGINES.some((engine) => path.startsWith(`${engine}/`));

/** Each import that breaks a rule, as `file -> import`. */
function offending(
  files: readonly Source[],
  breaks: (file: Source, imported: Import) => boolean,
): readonly string[] {
  return files.flatMap((file) =>
    file.imports
      .filter((imported) => breaks(file, imported))
      .map(({ specifier }) => `${file.path} -> ${specifier}`),
  );
}

/** Each line of code, without its strings, that a pattern is found in. */
function found(files: readonly Source[], pattern: RegExp): readonly string[] {
  return files.flatMap((file) => {
    const lines = file.code.replace(/'(?:[^'\\\n]|\\.)*'/g, "''").split('\n');
    return lines.filter((line) => pattern.test(line)).map((line) => `${file.path}: ${line.trim()}`);
  });
}

/** A cycle of what `next` gives, as its members in order; undefined where there is none. */
function findCycle(
  names: Iterable<string>,
  next: (name: string) => readonly string[],
): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, above: readonly string[]): readonly string[] | undefined => {
    if (above.includes(name)) return [...above.slice(above.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const to of next(name)) {
      const cycle = visit(to, [...above, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of names) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

test('every file of src stands in a folder that has its place in the table, and all of them are read', () => {
  expect(SRC.filter((file) => !(file.folder in MAY_IMPORT)).map((file) => file.path)).toEqual([]);
  const onDisk = globSync('src/**/*', { cwd: ROOT }).filter((path) => /\.[cm]?[jt]sx?$/.test(path));
  expect(onDisk.toSorted()).toEqual(SRC.map((file) => file.path));
  expect(SRC.length).toBeGreaterThan(50);
});

test('the reader of imports sees every form of them', () => {
  const code = [
    "import a from './a.ts';",
    "import type { B } from './b.ts';",
    "import {\n  type C,\n  type D,\n} from './c.ts';",
    "  import { type E, f } from './e.ts';",
    "import * as g from './g.ts';",
    "export { h } from './h.ts';",
    "import './i.ts';",
    ['const j = await import', "('./j.ts');"].join(''), // in two, or it would be an import of this file
    "export * from './k.ts';",
  ].join('\n');
  const seen = importsOf('src/x/y.ts', code).map(
    ({ target, typeOnly }) => `${target}${typeOnly ? ' type' : ''}`,
  );
  const expected = ['a', 'b type', 'c type', 'e', 'g', 'h', 'i', 'k', 'j'].map(
    (name) => `src/x/${name.replace(/^\w/, '$&.ts')}`,
  );
  expect(seen).toEqual(expected);
});

test('every import of a path leads to a file of the repository', () => {
  expect(
    offending(FILES, (_file, { target }) => target !== undefined && !existsSync(join(ROOT, target))),
  ).toEqual([]);
});

test('folders import only those that the table allows', () => {
  const forbidden = offending(PRODUCT, ({ folder }, { target }) => {
    if (target === undefined || target === PACKAGE) return false;
    const to = folderOf(target);
    return to !== folder && to !== 'shared' && !(MAY_IMPORT[folder] ?? []).includes(to);
  });
  expect(forbidden).toEqual([]);
});

test('tests beside the source import what their folder may, and what is under test/', () => {
  const forbidden = offending(SRC, ({ folder, isTest }, { target }) => {
    if (!isTest || target === undefined) return false;
    const to = folderOf(target);
    return ![folder, 'shared', 'test', ...(MAY_IMPORT[folder] ?? [])].includes(to);
  });
  expect(forbidden).toEqual([]);
});

test('an engine is imported by the composition roots and by tests alone', () => {
  const forbidden = offending(FILES, ({ path, folder, isTest }, { target }) => {
    if (target === undefined || !isEngine(target) || isEngine(path)) return false;
    return path.startsWith('src/')
      ? !isTest && !MAY_IMPORT_ENGINES.includes(folder)
      : !/^(test|bench)\//.test(path);
  });
  expect(forbidden).toEqual([]);
});

test('the product imports no test, and no folder beside src', () => {
  const forbidden = offending(
    PRODUCT,
    (_file, { target }) =>
      target !== undefined &&
      target !== PACKAGE &&
      (!target.startsWith('src/') || /\.(test|bench)\.ts$/.test(target)),
  );
  expect(forbidden).toEqual([]);
});

test('no files import each other in a circle, not even types', () => {
  const byPath = new Map(FILES.map((file) => [file.path, file]));
  const next = (path: string): string[] =>
    (byPath.get(path)?.imports ?? []).flatMap(({ target }) => (target === undefined ? [] : [target]));
  expect(findCycle(byPath.keys(), next)).toBeUndefined();
  expect(findCycle(['a'], (name) => ({ a: ['b'], b: ['c'], c: ['b'] })[name] ?? [])).toEqual(['b', 'c', 'b']);
});

test('no folders import each other in a circle, not even types', () => {
  const next = (folder: string): string[] =>
    PRODUCT.filter((file) => file.folder === folder)
      .flatMap((file) =>
        file.imports.flatMap(({ target }) => (target === undefined ? [] : [folderOf(target)])),
      )
      .filter((to) => to !== folder);
  expect(findCycle(Object.keys(MAY_IMPORT), next)).toBeUndefined();
});

const pure = PRODUCT.filter((file) => PURE.includes(file.folder));

test('domain and linking import no module of Node and no package', () => {
  const forbidden = offending(
    pure,
    (_file, { specifier, target }) => target === undefined || isBuiltin(specifier),
  );
  expect(forbidden).toEqual([]);
});

test.each([
  ['a clock', /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bperformance\b/],
  ['randomness', /\bMath\.random\b|\bcrypto\b|\brandomUUID\b/],
  ['the process', /\bprocess\b|\bglobalThis\b/],
  ['timers', /\b(?:set|clear)(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bnextTick\b/],
  ['I/O', /\bfetch\(|\bconsole\b|\bWebSocket\b|\brequire\(/],
])('domain and linking use no part of %s', (_what, pattern) => {
  expect(found(pure, pattern)).toEqual([]);
});

test('no file has a default export', () => {
  expect(found(FILES, /^\s*export default\b|\bas default\b/)).toEqual([]);
});

test('no file of the product says `any`', () => {
  expect(found(PRODUCT, /(?::|\bas|<|,|\|)\s*any\b(?!\s*[:(])(?=\s*(?:[;,)>=\]|{[]|$))/)).toEqual([]);
});

test('no file is a barrel, which only passes on what others define', () => {
  expect(
    offending(PRODUCT, (file, { specifier }) => file.code.includes(`export * from '${specifier}'`)),
  ).toEqual([]);
  expect(PRODUCT.filter((file) => /(^|\/)index\.ts$/.test(file.path)).map((file) => file.path)).toEqual([]);
});

test(`no file is longer than ${MOST_LINES} lines of code`, () => {
  const long = FILES.map((file) => ({
    ...file,
    lines: file.code.split('\n').filter((line) => line.trim() !== '').length,
  }));
  expect(
    long.filter((file) => file.lines > MOST_LINES).map((file) => `${file.path}: ${file.lines} lines`),
  ).toEqual([]);
});
