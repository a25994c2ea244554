import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readVault } from './read-vault.ts';
import { VaultError } from './types.ts';
import type { Vault, VaultOptions } from './types.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'brain2-vault-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function put(path: string, content: string | Uint8Array): Promise<string> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

function read(path = '', options: Partial<VaultOptions> = {}): Promise<Vault> {
  return readVault(join(root, path), { categories: 'none', maxNoteBytes: 1000, ...options });
}

const keys = (vault: Vault): string[] => vault.notes.map((note) => note.key);
const codes = (vault: Vault): string[] => vault.problems.map((problem) => `${problem.path} ${problem.code}`);

describe('a folder', () => {
  test('gives its notes in the order of paths, without hidden folders, packages and backups', async () => {
    const names = [
      'b.md',
      'a/z.markdown',
      'a.MD',
      'a b.md',
      '.obsidian/x.md',
      '.git/x.md',
      'node_modules/x/y.md',
    ];
    for (const name of [...names, 'logseq/bak/x.md', 'g/logseq/bak/x.md', 'a/i.png', 'x.txt'])
      await put(name, name);
    const vault = await read();
    expect(keys(vault)).toEqual(['a/z.markdown', 'a b.md', 'a.MD', 'b.md']);
    expect(vault.stats).toMatchObject({ files: 4, notes: 4, errors: 0, warnings: 0 });
  });

  test('gives keys in NFC', async () => {
    await put('Cafe\u0301.md', '');
    expect(keys(await read())).toEqual(['Caf\u00e9.md']);
  });

  test('that is empty is a vault without notes, and an empty file a note with a title', async () => {
    expect(await read()).toMatchObject({ notes: [], problems: [] });
    await put('Empty.md', '');
    expect((await read()).notes).toMatchObject([{ title: 'Empty', content: '' }]);
  });

  test('may be 200 levels deep', async () => {
    const deep = Array.from({ length: 200 }, (_, index) => `d${index}`).join('/');
    await put(`${deep}/note.md`, '[[top]]');
    await put('top.md', '');
    const vault = await read('', { categories: 'folders' });
    expect(vault.stats).toMatchObject({ notes: 2, links: 1 });
    expect(vault.notes[0]?.category).toEqual(['d0', 'd1', 'd2']);
  });

  test('lists what is no text, too large or no file, and keeps the rest', async () => {
    await put('binary.md', Uint8Array.of(65, 0, 66));
    await put('latin1.md', Uint8Array.of(0x63, 0x61, 0x66, 0xe9));
    await put('utf16.md', Buffer.from('\uFEFFtext', 'utf16le'));
    await put('large.md', 'x'.repeat(1001));
    await put('full.md', 'x'.repeat(1000));
    await put('bom.md', '\uFEFF# T');
    const vault = await read();
    expect(keys(vault)).toEqual(['bom.md', 'full.md']);
    expect(codes(vault)).toEqual([
      'binary.md binary',
      'large.md too_large',
      'latin1.md invalid_utf8',
      'utf16.md invalid_utf8',
    ]);
    expect(vault.problems[1]?.message).toBe('1001 bytes, above the limit of 1000');
    expect(vault.problems.every((problem) => problem.severity === 'error')).toBe(true);
  });

  test('lists a note with broken frontmatter and takes it with its whole text', async () => {
    await put('a.md', '---\ntags: [a\n---\nbody\n');
    const vault = await read();
    expect(vault.notes[0]?.content).toBe('---\ntags: [a\n---\nbody\n');
    expect(vault.problems).toMatchObject([{ path: 'a.md', code: 'broken_frontmatter', severity: 'warning' }]);
  });

  test('lists what is called a note and is no file', async () => {
    const server = createServer().listen(join(root, 'socket.md'));
    await once(server, 'listening');
    expect(codes(await read())).toEqual(['socket.md unreadable']);
    await new Promise((resolve) => server.close(resolve));
  });

  test.skipIf(process.getuid?.() === 0)('lists notes and folders that may not be read', async () => {
    await put('secret.md', 'x');
    await put('dir/x.md', 'x');
    await put('open.md', 'x');
    await chmod(join(root, 'secret.md'), 0);
    await chmod(join(root, 'dir'), 0);
    const vault = await read();
    await chmod(join(root, 'dir'), 0o700);
    expect(keys(vault)).toEqual(['open.md']);
    expect(codes(vault)).toEqual(['dir unreadable', 'secret.md unreadable']);
  });

  test('lists a note that vanishes before its turn', async () => {
    await put('a.md', '');
    const later = await put('b.md', '');
    const vault = await read('', { onProgress: () => rmSync(later, { force: true }) });
    expect(keys(vault)).toEqual(['a.md']);
    expect(vault.problems).toMatchObject([
      { path: 'b.md', code: 'unreadable', message: 'vanished before it was read' },
    ]);
  });

  test('reports progress up to the last note', async () => {
    for (let index = 0; index < 5; index++) await put(`${index}.md`, '');
    const seen: string[] = [];
    await read('', { onProgress: (done, total) => seen.push(`${done}/${total}`) });
    expect(seen).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5']);
  });

  test('stops at the signal', async () => {
    await put('a.md', '');
    const reason = new Error('enough');
    await expect(read('', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('symbolic links', () => {
  test('to folders are followed once, after real folders', async () => {
    await put('real/n.md', '[[m]]');
    await put('real/m.md', '');
    await symlink(join(root, 'real'), join(root, 'again'));
    const vault = await read();
    expect(keys(vault)).toEqual(['real/m.md', 'real/n.md']);
    expect(vault.problems).toMatchObject([
      { path: 'again', code: 'symlink_loop', message: 'symbolic link leads to real again' },
    ]);
  });

  test('that loop are reported and do not hang', async () => {
    await put('v/a/n.md', '');
    await symlink('..', join(root, 'v/a/up'));
    await symlink(root, join(root, 'v/a/above'));
    await symlink('self', join(root, 'v/self'));
    const vault = await read('v');
    expect(keys(vault)).toEqual(['a/n.md']);
    expect(codes(vault).sort()).toEqual(['a/above symlink_loop', 'a/up symlink_loop', 'self symlink_loop']);
  });

  test('out of the vault are followed; to a note of the vault they are not a second note; dangling ones are listed', async () => {
    await put('v/n.md', '');
    await put('outside/o.md', '');
    await put('single.md', '');
    await symlink('../outside', join(root, 'v/out'));
    await symlink('n.md', join(root, 'v/same.md'));
    await symlink('../single.md', join(root, 'v/one.md'));
    await symlink('gone.md', join(root, 'v/dangling.md'));
    const vault = await read('v');
    expect(keys(vault)).toEqual(['n.md', 'one.md', 'out/o.md']);
    expect(codes(vault)).toEqual(['dangling.md unreadable']);
  });

  test('to a note of the vault are not a second note, however the folder is named', async () => {
    await put('n.md', '');
    await symlink('n.md', join(root, 'same.md'));
    const options = { categories: 'none', maxNoteBytes: 1000 } as const;
    for (const name of [`${root}/`, `${root}/.`, relative(process.cwd(), root)])
      expect(keys(await readVault(name, options))).toEqual(['n.md']);
  });
});

describe('records', () => {
  test('by line are notes by id, with links between their titles', async () => {
    const lines = [
      {
        id: 'n1',
        title: 'One',
        text: 'see [[Two]]\r\nend',
        tags: ['#a', 'A', 'b'],
        aliases: ['Uno'],
        extra: 1,
      },
      { id: 2, title: 'Two', text: '', created: '2024-01-02', tags: null },
    ];
    await put('n.ndjson', `\uFEFF${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n`);
    const vault = await read('n.ndjson');
    expect(vault.notes).toEqual([
      {
        key: 'n1',
        title: 'One',
        content: 'see [[Two]]\nend',
        tags: ['a', 'b'],
        aliases: ['Uno'],
        links: [{ target: '2', text: 'Two' }],
      },
      {
        key: '2',
        title: 'Two',
        content: '',
        tags: [],
        aliases: [],
        links: [],
        createdAt: '2024-01-02T00:00:00.000Z',
      },
    ]);
    await put('n.json', JSON.stringify(lines));
    expect((await read('n.json')).notes).toEqual(vault.notes);
  });

  test('that are wrong are listed with line and reason, and the rest goes in', async () => {
    const good = { id: 'a', title: 'A', text: '' };
    const parts = [
      JSON.stringify(good),
      '{"id":',
      '[]',
      JSON.stringify({ ...good, id: '' }),
      JSON.stringify({ ...good, id: 'b', title: 5 }),
      JSON.stringify({ ...good, id: 'b', text: null }),
      JSON.stringify({ ...good, id: 'b', tags: 'x' }),
      JSON.stringify({ ...good, id: 'b', text: 'x'.repeat(1001) }),
      JSON.stringify(good),
      JSON.stringify({ ...good, id: 'b', text: 'x'.repeat(100_000) }),
      JSON.stringify({ ...good, id: 'b', text: '\0' }),
    ];
    const bytes = [
      Buffer.from(`${parts.join('\n')}\n`),
      Buffer.of(0x22, 0xff, 0x22, 0x0a),
      Buffer.from('{"id":"z","title":"","text":"words"}'),
    ];
    await put('n.jsonl', Buffer.concat(bytes));
    const vault = await read('n.jsonl');
    expect(vault.notes.map((note) => `${note.key} ${note.title}`)).toEqual(['a A', 'z words']);
    expect(vault.problems.map((problem) => `${problem.line} ${problem.code}`)).toEqual([
      '2 invalid_json',
      '3 invalid_note',
      '4 invalid_note',
      '5 invalid_note',
      '6 invalid_note',
      '7 invalid_note',
      '8 too_large',
      '9 duplicate_id',
      '10 too_large',
      '11 binary',
      '12 invalid_utf8',
    ]);
    expect(vault.problems[7]?.message).toBe('id "a" is that of line 1 already');
  });

  test('longer than the reader takes at once are whole', async () => {
    const records = Array.from({ length: 3000 }, (_, index) => ({
      id: `n${index}`,
      title: `é${index}`,
      text: 'ü日'.repeat(120),
    }));
    await put('n.ndjson', records.map((record) => JSON.stringify(record)).join('\r\n'));
    const vault = await read('n.ndjson');
    expect(vault.notes.map((note) => note.content)).toEqual(records.map((record) => record.text));
  });

  test('that are no array, or no JSON at all, are a problem of the file', async () => {
    await put('a.json', '{}');
    await put('b.json', 'nonsense');
    expect(codes(await read('a.json'))).toEqual(['a.json invalid_json']);
    expect(codes(await read('b.json'))).toEqual(['b.json invalid_json']);
  });
});

describe('a path', () => {
  test('to one Markdown file is a vault of one note', async () => {
    await put('x/One.md', '#tag');
    expect((await read('x/One.md')).notes).toMatchObject([{ key: 'One.md', title: 'One', tags: ['tag'] }]);
  });

  test('to nothing, or to what is no vault, is an error with a code', async () => {
    const file = await put('a.txt', '');
    await expect(read('gone')).rejects.toMatchObject({ name: 'VaultError', code: 'not_found' });
    await expect(read('a.txt/x')).rejects.toMatchObject({ code: 'not_found' });
    await expect(read('a.txt')).rejects.toBeInstanceOf(VaultError);
    await expect(read('a.txt')).rejects.toMatchObject({ code: 'unsupported' });
    await unlink(file);
  });
});
