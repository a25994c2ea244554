import type { Category, Node } from '../../api/v2.ts';
import { allPages } from '../../client/all-pages.ts';
import { onGraph, type Cli } from '../cli.ts';
import { categoryPath } from '../../vault/category-path.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findNote } from '../find-note.ts';
import { linksOf, type Link } from '../links.ts';
import { briefReasons, typeInWords } from '../reasons.ts';
import { harmless, oneLine, type Screen } from '../screen.ts';

/** Prints a note: what is known of it, its text, and its links by type. */
export async function showCommand(cli: Cli, name: string): Promise<ExitCode> {
  const { screen } = cli;
  const shown = await onGraph(cli, { creates: false }, async (client) => {
    const node = await findNote(client, name);
    const edges = await Array.fromAsync(allPages((query) => client.nodes.edges(node.id, query)));
    const categories =
      node.categories.length === 0 ? [] : await Array.fromAsync(allPages(client.categories.list));
    return { node, categories, links: await linksOf(client, node.id, edges) };
  });
  const { node, categories, links } = shown;
  if (screen.json) {
    const titled = node.categories.map((c) => ({ ...c, path: categoryPath(c.id, categories) }));
    await screen.document({ node: { ...node, categories: titled }, links });
    return EXIT.ok;
  }
  await screen.print(
    screen.paint('bold', oneLine(node.label)),
    ...factsOf(node, categories),
    '',
    ...(node.content.trim() === '' ? [] : [harmless(node.content).trimEnd(), '']),
    ...(links.length === 0 ? ['No links.'] : linesOf(links, node, screen)),
  );
  return EXIT.ok;
}

function factsOf(node: Node, categories: readonly Category[]): string[] {
  const { source } = node;
  const facts: readonly (readonly [string, string])[] = [
    ['id', node.id],
    ['tags', node.tags.map((tag) => `#${oneLine(tag)}`).join(' ')],
    ['aliases', node.aliases.map(oneLine).join(', ')],
    [
      'categories',
      node.categories.map((c) => categoryPath(c.id, categories).map(oneLine).join(' / ')).join(', '),
    ],
    ['created', node.createdAt],
    ['updated', node.updatedAt],
    [
      'source',
      [source.kind, source.path, source.key === source.path ? undefined : source.key]
        .filter(Boolean)
        .join('  '),
    ],
    ['archived', node.archived ? 'yes' : ''],
  ];
  return facts.filter(([, value]) => value !== '').map(([fact, value]) => `  ${fact.padEnd(11)} ${value}`);
}

function linesOf(links: readonly Link[], node: Node, screen: Screen): string[] {
  const byType = Map.groupBy(links, ({ edge }) => edge.type);
  return [...byType].flatMap(([type, ofType]) => [
    `${screen.paint('bold', `Links: ${typeInWords(type)}`)} (${ofType.length})`,
    ...ofType.map(({ edge, direction, other }) => {
      const arrow = type === 'related' ? '-' : direction === 'to' ? '→' : '←';
      const reasons = briefReasons(edge.reasons, {
        self: node.title,
        other: other.title,
      });
      return `  ${arrow} ${edge.weight.toFixed(2)}  ${oneLine(other.label)}${reasons === '' ? '' : `  (${reasons})`}`;
    }),
  ]);
}
