import type { SearchHit } from '../../api/v2.ts';
import { allPages } from '../../client/all-pages.ts';
import type { BrainClient } from '../../client/http-client.ts';
import { nearest } from '../../shared/nearest.ts';
import { CliError } from '../cli-error.ts';
import { onGraph, type Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { harmless, oneLine, type Screen } from '../screen.ts';

export interface SearchOptions {
  readonly limit: number;
  readonly tag?: string;
  readonly category?: string;
}

/** Prints the notes that a query finds, best first. Nothing found is an answer, not a failure. */
export async function searchCommand(cli: Cli, query: string, options: SearchOptions): Promise<ExitCode> {
  const found = await onGraph(cli, { creates: false }, async (client) => {
    const { category, tag, limit } = options;
    const categoryId = category === undefined ? undefined : await categoryNamed(client, category);
    return client.search(query, { limit, tag, category: categoryId });
  });
  if (cli.screen.json) await cli.screen.document(found);
  else if (found.items.length === 0) cli.screen.tell(`nothing is found for "${query}"`);
  else await cli.screen.print(...found.items.flatMap((hit, index) => linesOf(hit, index + 1, cli.screen)));
  return EXIT.ok;
}

async function categoryNamed(client: BrainClient, name: string): Promise<string> {
  const items = await Array.fromAsync(allPages(client.categories.list));
  const exact = items.filter((item) => item.id === name.toLowerCase());
  const named =
    exact.length > 0 ? exact : items.filter((item) => item.title.toLowerCase() === name.toLowerCase());
  const [only, ...others] = named;
  if (only && others.length === 0) return only.id;
  if (only) {
    throw new CliError('conflict', `${named.length} categories are called "${name}"; name one by its id`, {
      hints: named.map((item) => `  ${item.id}  ${oneLine(item.title)}`),
      details: { candidates: named.map(({ id, title }) => ({ id, title })) },
    });
  }
  const near = nearest(
    name,
    items.map((item) => item.title),
  );
  throw new CliError('not_found', `there is no category called "${name}"`, {
    hints: near === undefined ? [] : [`Did you mean "${oneLine(near)}"?`],
  });
}

function linesOf({ node, score, snippet }: SearchHit, rank: number, screen: Screen): string[] {
  const indent = '    ';
  const text = highlighted(snippet, screen);
  return [
    `${String(rank).padStart(2)}. ${screen.paint('bold', oneLine(node.label))}  ${score.toFixed(2)}`,
    `${indent}${screen.paint('dim', node.id)}`,
    ...(text === '' ? [] : [`${indent}${text}`]),
  ];
}

function highlighted({ text, highlights }: SearchHit['snippet'], screen: Screen): string {
  let marked = '';
  let at = 0;
  for (const [start = 0, end = 0] of highlights) {
    marked += harmless(text.slice(at, start)) + screen.paint('yellow', harmless(text.slice(start, end)));
    at = end;
  }
  return (marked + harmless(text.slice(at))).trim();
}
