import type { Node, NodeSummary } from '../api/v2.ts';
import type { BrainClient } from '../client/http-client.ts';
import { LIMITS } from '../domain/limits.ts';
import { CliError } from './cli-error.ts';
import { oneLine } from './screen.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const ID_START = /^[0-9a-f]{8}[0-9a-f-]*$/i;
const CANDIDATES = 50;
const SUGGESTIONS = 3;
const LISTED = 20;

type Named = Pick<NodeSummary, 'id' | 'title' | 'label' | 'aliases' | 'source'>;

/**
 * Finds the note that a person named: by id, by title as it is written, by title or alias whatever the case, by the
 * path or key it was imported under, or by a unique beginning of an id. Throws `not_found` with the nearest titles, and `conflict` with the ids where several
 * notes are meant equally.
 */
export async function findNote(client: BrainClient, name: string): Promise<Node> {
  const wanted = name.trim();
  if (UUID.test(wanted)) return client.nodes.get(wanted.toLowerCase());
  if (wanted === '')
    throw new CliError('invalid', 'a note is named by its id, title or alias, not by nothing');
  const found = await client.search(wanted.slice(0, LIMITS.titleLength), { limit: CANDIDATES });
  const hits = found.items.map((hit) => hit.node);
  // A title without a word that search indexes is found by looking at all of them.
  const meant = meantBy(wanted, hits) ?? meantBy(wanted, (await client.graph()).nodes);
  if (meant === undefined) throw notFound(wanted, hits.slice(0, SUGGESTIONS));
  const [only, ...others] = meant;
  if (only === undefined || others.length > 0) throw several(wanted, meant);
  return client.nodes.get(only.id);
}

/** The notes that the name fits best; undefined when it fits none. */
function meantBy(wanted: string, notes: readonly Named[]): readonly Named[] | undefined {
  const folded = fold(wanted);
  const ways: readonly ((note: Named) => boolean)[] = [
    (note) => note.title === wanted || note.label === wanted,
    (note) => fold(note.title) === folded || fold(note.label) === folded,
    (note) => note.aliases.some((alias) => fold(alias) === folded),
    ({ source }) =>
      source.key === wanted || source.path === wanted || source.path?.endsWith(`/${wanted}`) === true,
    (note) => ID_START.test(wanted) && note.id.startsWith(folded),
  ];
  return ways.map((way) => notes.filter(way)).find((found) => found.length > 0);
}

function fold(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim().toLowerCase();
}

function notFound(wanted: string, near: readonly Named[]): CliError {
  const suggestions = near.map((note) => ({ id: note.id, label: note.label }));
  return new CliError('not_found', `there is no note called "${wanted}"`, {
    hints: near.length === 0 ? [] : ['Did you mean', ...lines(near)],
    details: { suggestions },
  });
}

function several(wanted: string, notes: readonly Named[]): CliError {
  const more = notes.length - LISTED;
  return new CliError(
    'conflict',
    `${notes.length} notes are called "${wanted}"; name one by its id or path`,
    {
      hints: [...lines(notes.slice(0, LISTED)), ...(more > 0 ? [`  and ${more} more`] : [])],
      details: { candidates: notes.map((note) => ({ id: note.id, label: note.label })) },
    },
  );
}

function lines(notes: readonly Named[]): string[] {
  return notes.map(({ id, label, source }) => {
    const from = source.path === undefined ? '' : `  (${oneLine(source.path)})`;
    return `  ${id}  ${oneLine(label)}${from}`;
  });
}
