import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eachConcurrent } from '../../src/shared/each-concurrent.ts';
import { zipOf } from '../../src/vault/write-zip.ts';
import { brain2, MAIN, startServer, VAULT, writeFiles, type Ended } from './brain2.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-cli-'));
const vault = join(root, 'vault');
const data = join(root, 'data');
let first: Ended;

beforeAll(async () => {
  writeFiles(vault, VAULT);
  first = await brain2(['import', vault, '--categories', 'folders'], { data });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A data folder of its own with the vault in it. */
function copyOfData(name: string): string {
  const copy = join(root, name);
  cpSync(data, copy, { recursive: true });
  return copy;
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const masked = ({ code, stdout }: Ended) => ({ code, stdout: stdout.replace(UUID, '<id>') });

/** What was exported, without the times: a category that is given anew is a change. */
/** What the notes of an export say, whatever their ids. */
const contents = (ndjson: string) =>
  ndjson
    .split('\n')
    .filter((line) => line.startsWith('{"node":'))
    .map((line) => (JSON.parse(line) as { node: Record<string, unknown> }).node)
    .map(({ title, content, tags, aliases }) => JSON.stringify({ title, content, tags, aliases }))
    .sort();

describe('import', () => {
  it('takes what is a note, lists the rest with its reason, and ends with 5', () => {
    expect(first.code).toBe(5);
    expect(first.stdout).toMatch(/created +5\n/);
    expect(first.stdout).toMatch(/links by hand 1, 1 broken/);
    expect(first.stdout).toMatch(/Not imported \(2\):\n  binary\.md {2}.*NUL.*\n  latin\.md {2}.*UTF-8/);
    expect(first.stdout).toContain('Broken links (1):\n  Sleep.md:7  Nowhere');
    expect(first.stderr).toMatch(/5 notes in .*\nNext: +npx brain2 --data .* search/);
  });

  it('changes nothing the second time, and says the same as JSON', async () => {
    const again = await brain2(['import', vault, '--categories', 'folders', '--json'], { data });
    expect(again.code).toBe(5);
    expect(again.stderr).toBe('');
    const report = JSON.parse(again.stdout) as Record<string, unknown>;
    expect(report).toMatchObject({
      collection: 'vault',
      summary: {
        created: 0,
        updated: 0,
        unchanged: 5,
        failed: 0,
        notes: 5,
      },
    });
    expect(report['problems']).toHaveLength(2);
    expect(report['brokenLinks']).toMatchObject([{ path: 'Sleep.md', line: 7, target: 'Nowhere' }]);
  });

  it('reads a zip of a folder as it reads the folder, and takes nothing of one that is refused', async () => {
    const zip = join(root, 'vault.zip');
    // As a packer of folders does it: all of them below one of the folder's name.
    const files = Object.entries(VAULT).map(([path, text]) => ({ path: `vault/${path}`, text }));
    writeFileSync(zip, Buffer.concat(await Array.fromAsync(zipOf(files))));
    const args = ['--categories', 'folders', '--json'];
    const again = await brain2(['import', zip, ...args], { data: copyOfData('zip-data') });
    expect([again.code, JSON.parse(again.stdout)]).toMatchObject([
      5,
      {
        collection: 'vault',
        summary: { created: 0, unchanged: 5, failed: 0, references: 1, notes: 5 },
        problems: [{ path: 'binary.md' }, { path: 'latin.md' }],
        brokenLinks: [{ path: 'Sleep.md', line: 7, target: 'Nowhere' }],
      },
    ]);
    const bad = join(root, 'bad.zip');
    writeFileSync(bad, 'this is no zip at all, however long it may be');
    const refused = await brain2(['import', bad, '--json'], { data: join(root, 'fresh-zip') });
    expect([refused.code, JSON.parse(refused.stderr)]).toMatchObject([
      2,
      { error: { code: 'invalid', detail: expect.stringContaining('zip_damaged') } },
    ]);
  });

  it('reports what has gone, keeps it while something cannot be read, and deletes it only with --prune', async () => {
    const own = join(root, 'pruned');
    const into = copyOfData('pruned-data');
    cpSync(vault, own, { recursive: true });
    rmSync(join(own, 'garden'), { recursive: true });
    const args = ['import', own, '--name', 'vault', '--categories', 'folders'];
    const refused = await brain2([...args, '--prune'], { data: into });
    expect(refused.stdout).toContain(
      'kept, because not everything could be read (1):\n  vault/garden/index.md',
    );
    rmSync(join(own, 'binary.md'));
    rmSync(join(own, 'latin.md'));
    const kept = await brain2(args, { data: into });
    expect(kept).toMatchObject({ code: 0 });
    expect(kept.stdout).toContain('kept; --prune deletes them (1):\n  vault/garden/index.md');
    expect(kept.stdout).toMatch(/graph now +5 notes/);
    const pruned = await brain2([...args, '--prune'], { data: into });
    expect(pruned).toMatchObject({ code: 0 });
    expect(pruned.stdout).toContain('deleted (1):\n  vault/garden/index.md');
    expect(pruned.stdout).toMatch(/graph now +4 notes/);
    for (const file of readdirSync(own)) rmSync(join(own, file), { recursive: true });
    expect(await brain2([...args, '--prune'], { data: into })).toMatchObject({ code: 4, stdout: '' });
  });

  it('reads a single note without missing its neighbours, and records by their ids', async () => {
    const into = copyOfData('single-data');
    const one = await brain2(['import', join(vault, 'Sleep.md'), '--prune', '--json'], { data: into });
    expect(JSON.parse(one.stdout)).toMatchObject({
      missing: [],
      brokenLinks: [{ target: 'Nowhere' }],
      summary: { unchanged: 1, references: 1, notes: 5 },
    });
    const folder = join(root, 'links.md'); // by its name a file
    const note = (more: string) => `---\nup: "[[Above]]"\n---\nSee [the settings](config.json).${more}\n`;
    writeFiles(folder, { 'Above.md': 'a', 'config.json.md': 'b', 'Note.md': note('') });
    await brain2(['import', folder], { data: into });
    writeFiles(folder, { 'Note.md': note(' Edited.') });
    const edited = await brain2(['import', join(folder, 'Note.md'), '--json'], { data: into });
    expect(JSON.parse(edited.stdout)).toMatchObject({ summary: { updated: 1, references: 2 } });
    const records = join(root, 'tea.ndjson');
    writeFileSync(
      records,
      '{"id":"t1","title":"Tea","text":"Leaves in hot water."}\n{"id":"t2","title":7}\nnonsense\n',
    );
    const two = await brain2(['import', records], { data: into });
    expect(two.code).toBe(5);
    expect(two.stdout).toMatch(/tea\.ndjson:2 .*title.*\n  tea\.ndjson:3/);
    expect((await brain2(['show', 'Tea'], { data: into })).stdout).toContain('tea.ndjson  t1');
  });

  it('knows one file by its path in the vault that was imported, however deep it lies, or in the folder it is told', async () => {
    const folder = join(root, 'deep');
    const into = { data: join(root, 'deep-data') };
    const one = async (path: string, ...options: string[]) => {
      const { code, stdout } = await brain2(
        ['import', join(folder, path), '--categories', 'folders', '--json', ...options],
        into,
      );
      return { code, ...(JSON.parse(stdout) as object) };
    };
    writeFiles(folder, { 'Home.md': 'See [[Monday]].', 'daily/Monday.md': 'Tea, then [home](../Home.md).' });
    await brain2(['import', folder, '--categories', 'folders'], into);
    writeFiles(folder, {
      'daily/Monday.md': 'Coffee, then [home](../Home.md).',
      'daily/Tuesday.md': '[[Home]]',
    });
    expect(await one('daily/Monday.md', '--prune')).toMatchObject({
      collection: 'deep/daily/Monday.md',
      brokenLinks: [],
      summary: { created: 0, updated: 1, references: 1, missing: 0, notes: 2 },
    });
    expect(await one('daily/Tuesday.md')).toMatchObject({ summary: { created: 1, references: 1, notes: 3 } });
    const whole = await brain2(['import', folder, '--categories', 'folders', '--json'], into);
    expect(JSON.parse(whole.stdout)).toMatchObject({ summary: { created: 0, updated: 0, unchanged: 3 } });
    expect(await one('daily/Tuesday.md', '--root', join(folder, 'daily'))).toMatchObject({
      collection: 'daily/Tuesday.md',
      summary: { created: 1, notes: 4 },
    });
    expect(await brain2(['import', folder, '--root', folder], into)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--root goes with one file of Markdown') as string,
    });
  });

  it('does nothing on a dry run', async () => {
    const none = await brain2(['import', vault, '--dry-run', '--json'], { data: join(root, 'dry') });
    expect(JSON.parse(none.stdout)).toMatchObject({ dryRun: true, summary: { created: 5, notes: 0 } });
  });
});

describe('beside a running server and without one', () => {
  const reads: readonly (readonly [readonly string[], number])[] = [
    [['search', 'circadian', 'clock'], 0],
    [['search', 'circadian', '--category', 'Light', '--json'], 0],
    [['show', 'slumber'], 0],
    [['show', 'Sleep', '--json'], 0],
    [['show', 'Sleeping'], 3],
    [['show', 'Overview'], 4],
    [['why', 'Sleep', 'Melatonin'], 0],
    [['why', 'Blue light', 'Sleep', '--json'], 0],
    [['neighbors', 'Sleep', '--depth', '2'], 0],
    [['export'], 0],
    [['import', vault, '--categories', 'folders'], 5],
  ];

  it('every command gives the same output and the same exit code', async () => {
    const alone: Ended[] = [];
    for (const [args] of reads) alone.push(await brain2(args, { data }));
    const server = await startServer(data);
    try {
      const beside = await Array.fromAsync(
        eachConcurrent(reads, { limit: 2 }, ([args]) => brain2(args, { data })),
      );
      const seen = beside.map(({ code, stdout }) => ({ code, stdout }));
      expect(seen).toEqual(alone.map(({ code, stdout }) => ({ code, stdout })));
      expect(seen.map(({ code }) => code)).toEqual(reads.map(([, code]) => code));
      expect(seen.filter(({ code, stdout }) => (code === 0) !== (stdout !== '') && code !== 5)).toEqual([]);
      for (const [index, [args]] of reads.entries())
        if (args.includes('--json')) JSON.parse(seen[index]?.stdout ?? '');
      const health = await brain2(['doctor'], { data });
      expect(health).toMatchObject({ code: 0 });
      expect(health.stdout).toContain(`a server holds it, at ${server.url}`);
      expect(health.stdout).toMatch(/ok +graph +5 notes, \d+ edges, 3 categories/);
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  it('add prints the id and each link with its reason', async () => {
    const args = ['add', '--title', 'Night', '--tag', 'health', 'Melatonin rises with the circadian clock.'];
    const alone = await brain2(args, { data: copyOfData('add-alone') });
    const served = copyOfData('add-served');
    const server = await startServer(served);
    const beside = await brain2(args, { data: served });
    await server.stop();
    expect(masked(beside)).toEqual(masked(alone));
    expect(masked(alone).stdout).toMatch(/^<id>\nlinked to "Melatonin" 0\.\d\d \(names it, .*\)\n/);
  });

  it('why names the terms and their places', async () => {
    const { stdout } = await brain2(['why', 'Sleep', 'Melatonin'], { data });
    expect(stdout).toContain('"Sleep" and "Melatonin" are connected.');
    expect(stdout).toContain(
      'a link in the text, origin human, accepted\n    a person linked them, as "Melatonin"',
    );
    expect(stdout).toContain('"Sleep" names "Melatonin"');
    expect(stdout).toMatch(/shares: .*circadian \(\d+ %\)/);
    expect(stdout).toMatch(
      /circadian \(\d+ %\)\n    Sleep: .*The circadian clock.*\n    Melatonin: .*circadian clock/,
    );
  });
});

describe('export', () => {
  it('as Markdown and as NDJSON is read back whole', async () => {
    const before = (await brain2(['export'], { data })).stdout;
    const folder = join(root, 'out');
    expect((await brain2(['export', folder], { data })).stdout).toBe(`5 notes written to ${folder}\n`);
    expect((await brain2(['export', folder], { data })).code).toBe(4);
    const fresh = join(root, 'fresh');
    const back = await brain2(['import', folder, '--categories', 'frontmatter', '--json'], { data: fresh });
    expect(JSON.parse(back.stdout)).toMatchObject({ summary: { created: 5, references: 1 } });
    expect(contents((await brain2(['export'], { data: fresh })).stdout)).toEqual(contents(before));
    expect(readdirSync(join(fresh, 'blobs', 'local'))).toEqual([]); // what was fetched is kept no longer
    const records = join(root, 'out.ndjson');
    await brain2(['export', records], { data });
    const again = await brain2(['import', records, '--json'], { data: join(root, 'fresh2') });
    // Five notes, three categories and an edge of a person.
    expect(JSON.parse(again.stdout)).toMatchObject({
      summary: { created: 9, notes: 5, failed: 0 },
      notes: { created: 5, updated: 0, unchanged: 0 },
    });
    const told = await brain2(['import', records], { data: join(root, 'fresh2') });
    expect(told.stdout).toContain('unchanged     5 notes, 4 categories, links and decisions\n');
    expect(told.stdout).not.toContain('links by hand');
    expect(told.stderr).toMatch(/^5 notes in /);
    const lines = readFileSync(records, 'utf8').split('\n');
    writeFileSync(records, [...lines.slice(0, 1), '{"node":{"cut o', ...lines.slice(1)].join('\n'));
    const most = await brain2(['import', records, '--json'], { data: join(root, 'fresh3') });
    expect([most.code, JSON.parse(most.stdout)]).toMatchObject([
      5,
      { summary: { created: 9 }, problems: [{ path: 'out.ndjson', line: 2, code: 'invalid_json' }] },
    ]);
  });

  it('of nothing says what a note is', async () => {
    const empty = join(root, 'nothing');
    writeFiles(empty, { 'photo.png': 'x' });
    const { code, stderr } = await brain2(['import', empty], { data: join(root, 'none') });
    expect(code).toBe(0);
    expect(stderr).toContain(`no note was found in ${empty}: notes are files that end in .md or .markdown`);
  });

  it('ends quietly when its reader has enough', async () => {
    const command = `"${process.execPath}" "${MAIN}" export --data "${data}" | head -c 5`;
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command]);
    expect([stdout.length, stdout.slice(0, 2), stderr]).toEqual([5, '{"', '']);
  });
});
