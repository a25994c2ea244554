import { describe, expect, it } from 'vitest';
import { brainClient, type Transport } from '../client/http-client.ts';
import { findNote } from './find-note.ts';

interface Named {
  readonly id: string;
  readonly title: string;
  readonly aliases?: readonly string[];
  readonly source?: { readonly kind: string; readonly key: string; readonly path: string };
}

const ID = '01234567-89ab-7def-8123-456789abcdef';

/** A server that holds these notes; its search finds only `found` of them. */
function clientOf(notes: readonly Named[], found = notes) {
  const full = (note: Named) => ({ aliases: [], source: { kind: 'api' }, ...note, label: note.title });
  const transport: Transport = async ({ path }) => {
    const answer = path.includes('/search')
      ? { items: found.map((note) => ({ node: full(note) })), page: { next: null, hasMore: false } }
      : path.endsWith('/graph')
        ? { nodes: notes.map(full), edges: [] }
        : notes.map(full).find((note) => path.endsWith(`/nodes/${note.id}`));
    const text = JSON.stringify(answer ?? { code: 'not_found', detail: 'there is no such note' });
    const headers = new Headers({ 'content-type': answer ? 'application/json' : 'application/problem+json' });
    return { status: answer ? 200 : 404, headers, body: [new TextEncoder().encode(text)].values() as never };
  };
  return brainClient(transport);
}

describe('findNote', () => {
  const notes = [
    { id: 'a', title: 'Go' },
    { id: 'b', title: 'go' },
    { id: 'c', title: 'Sleep', aliases: ['Rest', 'GO'] },
    { id: 'd', title: 'The  Who', source: { kind: 'import', key: 'band.md', path: 'music/band.md' } },
    { id: ID, title: 'Tea' },
  ];
  const client = clientOf(notes);

  it.each([
    ['Go', 'a'],
    ['go', 'b'],
    ['sleep', 'c'],
    ['rest', 'c'],
    ['the who', 'd'],
    ['band.md', 'd'],
    ['music/band.md', 'd'],
    [ID.toUpperCase(), ID],
    [ID.slice(0, 9), ID],
  ])('finds "%s"', async (name, id) => {
    expect(await findNote(client, name)).toMatchObject({ id });
  });

  it('looks at every title where search finds nothing', async () => {
    expect(await findNote(clientOf(notes, []), 'The Who')).toMatchObject({ id: 'd' });
  });

  it('asks which one where several are meant equally', async () => {
    await expect(findNote(client, 'GO')).rejects.toMatchObject({
      code: 'conflict',
      details: { candidates: [{ id: 'a' }, { id: 'b' }] },
    });
  });

  it('suggests the nearest where none is meant', async () => {
    await expect(findNote(clientOf(notes, notes.slice(2, 3)), 'Sleeping')).rejects.toMatchObject({
      code: 'not_found',
      hints: ['Did you mean', '  c  Sleep'],
    });
    await expect(findNote(client, ID.replace('0', 'f'))).rejects.toMatchObject({
      problem: { code: 'not_found' },
    });
  });
});
