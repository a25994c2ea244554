import { text as textOf } from 'node:stream/consumers';
import type { LinkedNode } from '../../api/v2.ts';
import { CliError } from '../cli-error.ts';
import { onGraph, type Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { linksOf, type Link } from '../links.ts';
import { briefReasons } from '../reasons.ts';
import { oneLine } from '../screen.ts';

export interface AddOptions {
  readonly title?: string;
  readonly tag?: readonly string[];
}

/** Stores one note and prints its id and its links with their reasons. */
export async function addCommand(cli: Cli, words: readonly string[], options: AddOptions): Promise<ExitCode> {
  const content = await contentOf(words, options);
  const { node, links } = await onGraph(cli, { creates: true }, async (client) => {
    const node = await client.nodes.create({
      content,
      ...(options.title !== undefined && { title: options.title }),
      ...(options.tag && { tags: [...options.tag] }),
      source: { kind: 'cli' },
    });
    return { node, links: await linksOf(client, node.id, node.edges) };
  });
  if (cli.screen.json) await cli.screen.document(asDocument(node, links));
  else await cli.screen.print(node.id, ...links.map((link) => lineOf(link, node)));
  return EXIT.ok;
}

async function contentOf(words: readonly string[], { title }: AddOptions): Promise<string> {
  const dash = words.length === 1 && words[0] === '-';
  if (words.length > 0 && !dash) return words.join(' ');
  if (!dash && process.stdin.isTTY) {
    if (title !== undefined) return '';
    throw new CliError('invalid', 'there is no text to add', {
      hints: ['Give it as an argument, brain2 add "a thought", or on stdin.'],
    });
  }
  return (await textOf(process.stdin)).replace(/\r?\n$/, '');
}

function lineOf({ edge, other }: Link, node: LinkedNode): string {
  const reasons = briefReasons(edge.reasons, {
    self: node.title,
    other: other.title,
  });
  return `linked to "${oneLine(other.label)}" ${edge.weight.toFixed(2)}${reasons === '' ? '' : ` (${reasons})`}`;
}

function asDocument({ edges: _edges, ...node }: LinkedNode, links: readonly Link[]) {
  return { node, links };
}
