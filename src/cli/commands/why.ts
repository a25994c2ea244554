import type { Edge, Explanation, Node, Reason } from '../../api/v2.ts';
import { CliError } from '../cli-error.ts';
import { onGraph, type Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findNote } from '../find-note.ts';
import { percent, reasonSentences, typeInWords } from '../reasons.ts';
import { harmless, oneLine, type Screen } from '../screen.ts';

const TERMS_SHOWN = 8;
const AROUND = 40; // characters on both sides of a term

type Match = Explanation['matches'][number];

interface Pair {
  readonly a: Node;
  readonly b: Node;
  readonly explanation: Explanation;
}

/** Prints why two notes are connected: their edges with reasons, the sum behind the weight, the terms in place. */
export async function whyCommand(cli: Cli, nameOfA: string, nameOfB: string): Promise<ExitCode> {
  const pair = await onGraph(cli, { creates: false }, async (client): Promise<Pair> => {
    const a = await findNote(client, nameOfA);
    const b = await findNote(client, nameOfB);
    if (a.id === b.id) throw new CliError('invalid', `both names mean the same note, "${oneLine(a.label)}"`);
    return { a, b, explanation: await client.nodes.explain(a.id, b.id) };
  });
  const { screen } = cli;
  if (screen.json) await screen.document({ ...pair.explanation, connected: isConnected(pair.explanation) });
  else await screen.print(...verdict(pair, screen), ...sum(pair, screen), ...terms(pair, screen));
  return EXIT.ok;
}

function isConnected({ edges }: Explanation): boolean {
  return edges.some((edge) => edge.status !== 'rejected');
}

function verdict({ a, b, explanation }: Pair, screen: Screen): string[] {
  const both = `"${oneLine(a.label)}" and "${oneLine(b.label)}"`;
  const { edges } = explanation;
  const rejected = edges.length > 0 && !isConnected(explanation);
  const said = isConnected(explanation)
    ? `${both} are connected.`
    : `${both} are not connected${rejected ? ': the link was rejected' : ''}.`;
  const titles = new Map([a, b].map((node) => [node.id, node.title]));
  return [
    screen.paint('bold', said),
    ...edges.flatMap((edge) => [
      `  ${edge.type}  ${edge.weight.toFixed(2)}  ${describe(edge)}`,
      ...reasonSentences(edge.reasons, {
        self: titles.get(edge.sourceId) ?? '',
        other: titles.get(edge.targetId) ?? '',
      }).map((sentence) => `    ${sentence}`),
    ]),
  ];
}

function describe({ type, origin, status, engine }: Edge): string {
  return `${typeInWords(type)}, origin ${origin}, ${status}${engine === undefined ? '' : `, engine ${engine}`}`;
}

/** The weight of today, added up. Where the linker made no edge, its reasons are told here as well. */
function sum({ a, b, explanation }: Pair, screen: Screen): string[] {
  const { engine, weight, logit, components, matches, edges } = explanation;
  const told = edges.some((edge) => edge.type === 'related');
  const reasons = matches.slice(0, TERMS_SHOWN).map((match) => reasonOf(match, b.title));
  const width = Math.max(0, ...components.map(({ name }) => name.length));
  return [
    screen.paint('bold', `The engine (${engine}) gives them ${weight.toFixed(2)} today:`),
    ...(told ? [] : reasonSentences(reasons, { self: a.title, other: b.title }).map((line) => `  ${line}`)),
    ...components.map(({ name, value, coefficient, product }) => {
      const factors = `${value.toFixed(2)} × ${coefficient.toFixed(2)}`;
      return `  ${name.padEnd(width)}  ${factors.padStart(14)} = ${signed(product).padStart(6)}`;
    }),
    `  ${'sum'.padEnd(width)}  ${''.padStart(14)} = ${signed(logit).padStart(6)}, a chance of ${weight.toFixed(2)} that an author links them`,
  ];
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(2)}`;
}

function terms({ a, b, explanation }: Pair, screen: Screen): string[] {
  const { matches } = explanation;
  if (matches.length === 0) return [screen.paint('bold', 'They share no terms.')];
  const shown = matches.slice(0, TERMS_SHOWN);
  const more = matches.length - shown.length;
  return [
    screen.paint('bold', 'Terms in their places:'),
    ...shown.flatMap((match) => [
      `  ${termOf(match)} (${percent(match.contribution)})`,
      ...places(a, match.source, screen),
      ...places(b, match.target, screen),
    ]),
    ...(more > 0 ? [`  and ${more} more (--json lists all)`] : []),
  ];
}

/** A match as a reason that is told by the first note. */
function reasonOf({ term, contribution, source, target }: Match, titleOfB: string): Reason {
  const kind = source.length > 0 && target.length > 0 ? 'term' : term === titleOfB ? 'names' : 'named-by';
  return { kind, term: kind === 'term' ? term : titleOfB, contribution };
}

/** A term stands in both texts; where one names the other, the title stands in one. */
function termOf({ term, source, target }: Match): string {
  return source.length > 0 && target.length > 0 ? oneLine(term) : `title "${oneLine(term)}"`;
}

/** The first place with the words around it, and how many more there are. */
function places(node: Node, spans: Match['source'], screen: Screen): string[] {
  const [first] = spans;
  if (!first) return [];
  const from = Math.max(0, first.start - AROUND);
  const to = Math.min(node.content.length, first.end + AROUND);
  const part = (start: number, end: number) =>
    harmless(node.content.slice(start, end).toWellFormed().replace(/\s+/g, ' '));
  const head = `${from > 0 ? '…' : ''}${part(from, first.start)}`.trimStart();
  const tail = `${part(first.end, to)}${to < node.content.length ? '…' : ''}`.trimEnd();
  const excerpt = `${head}${screen.paint('yellow', part(first.start, first.end))}${tail}`;
  const more = spans.length > 1 ? `  (${spans.length} places)` : '';
  return [`    ${oneLine(node.label)}: ${excerpt}${more}`];
}
