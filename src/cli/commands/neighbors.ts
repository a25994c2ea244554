import type { Neighbors } from '../../api/v2.ts';
import { onGraph, type Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findNote } from '../find-note.ts';
import { oneLine } from '../screen.ts';

export interface NeighborsOptions {
  readonly depth: number;
  readonly minWeight: number;
  readonly limit: number;
}

/** Prints the notes around a note: how many edges away, how strong the best way there is, and which. */
export async function neighborsCommand(cli: Cli, name: string, options: NeighborsOptions): Promise<ExitCode> {
  const { depth, minWeight, limit } = options;
  const { node, neighbors } = await onGraph(cli, { creates: false }, async (client) => {
    const node = await findNote(client, name);
    return { node, neighbors: await client.nodes.neighbors(node.id, { depth, minWeight, limit }) };
  });
  if (cli.screen.json) {
    const { id, title, label } = node;
    await cli.screen.document({ node: { id, title, label }, ...neighbors });
  } else if (neighbors.items.length === 0) {
    cli.screen.tell(`nothing is within reach of "${oneLine(node.label)}"`);
  } else {
    await cli.screen.print(...neighbors.items.map((item) => lineOf(item)));
  }
  return EXIT.ok;
}

function lineOf({ node, distance, strength }: Neighbors['items'][number]): string {
  return `${distance}  ${strength.toFixed(2)}  ${node.id}  ${oneLine(node.label)}`;
}
