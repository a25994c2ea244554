import type { Node } from '../../src/api/v2.ts';
import type { BrainClient } from '../../src/client/http-client.ts';
import type { Ledger } from './ledger.ts';
import { textOf } from './notes.ts';
import type { Random } from './seed.ts';

const TOPICS = 10;

interface KnownEdge {
  readonly id: string;
  readonly ends: readonly string[];
}

/**
 * One client that writes without a pause, each write after the answer to the one before, and keeps what it was told
 * in the ledger. Writers share nothing, so each knows what its own notes must be.
 */
export class Writer {
  readonly #ledger: Ledger;
  readonly #random: Random;
  /** With no change under way; one that was cut off is left alone from then on. */
  readonly #notes: Pick<Node, 'id' | 'version'>[] = [];
  #edges: KnownEdge[] = [];
  #count = 0;

  constructor(ledger: Ledger, random: Random) {
    this.#ledger = ledger;
    this.#random = random;
  }

  /** Writes once. Rejects when the server is gone before it answers. */
  async write(client: BrainClient): Promise<void> {
    const chance = this.#notes.length < 4 ? 0 : this.#random.below(20);
    this.#count += 1;
    if (chance < 8) await this.#create(client);
    else if (chance < 12) await this.#patch(client);
    else if (chance < 14) await this.#delete(client);
    else if (chance < 17) await this.#connect(client);
    else if (chance < 18) await this.#disconnect(client);
    else await this.#addCategory(client);
  }

  async #create(client: BrainClient): Promise<void> {
    const topic = this.#random.below(TOPICS);
    const input = {
      title: `written ${this.#count}`,
      content: textOf(topic, this.#random),
      tags: [`topic/${topic}`],
    };
    const { id, version } = await client.nodes.create(input);
    this.#ledger.acknowledge('nodes', id, { ...input, version });
    this.#notes.push({ id, version });
  }

  async #patch(client: BrainClient): Promise<void> {
    const note = this.#take();
    const changes = { content: `${textOf(this.#random.below(TOPICS), this.#random)} Change ${this.#count}.` };
    this.#ledger.ask('nodes', note.id, { ...changes, version: note.version + 1 });
    const { version } = await client.nodes.patch(note.id, changes, note.version);
    this.#ledger.acknowledge('nodes', note.id, { ...changes, version });
    this.#notes.push({ id: note.id, version });
  }

  /** The note's edges go with it. */
  async #delete(client: BrainClient): Promise<void> {
    const { id, version } = this.#take();
    const edges = this.#edges.filter((edge) => edge.ends.includes(id));
    this.#edges = this.#edges.filter((edge) => !edges.includes(edge));
    this.#ledger.ask('nodes', id, 'gone');
    for (const edge of edges) this.#ledger.ask('edges', edge.id, 'gone');
    await client.nodes.delete(id, version);
    this.#ledger.acknowledge('nodes', id, 'gone');
    for (const edge of edges) this.#ledger.acknowledge('edges', edge.id, 'gone');
  }

  async #connect(client: BrainClient): Promise<void> {
    const ends = [this.#random.pick(this.#notes).id, this.#random.pick(this.#notes).id];
    const [sourceId = '', targetId = ''] = ends;
    const connected = this.#edges.some((edge) => ends.every((id) => edge.ends.includes(id)));
    if (sourceId === targetId || connected) return this.#create(client);
    const weight = this.#random.below(101) / 100;
    const { id } = await client.edges.create({ sourceId, targetId, weight });
    this.#ledger.acknowledge('edges', id, { sourceId, targetId, weight, type: 'manual' });
    this.#edges.push({ id, ends });
  }

  async #disconnect(client: BrainClient): Promise<void> {
    const edge = this.#edges.pop();
    if (!edge) return this.#create(client);
    this.#ledger.ask('edges', edge.id, 'gone');
    await client.edges.delete(edge.id, 1);
    this.#ledger.acknowledge('edges', edge.id, 'gone');
  }

  async #addCategory(client: BrainClient): Promise<void> {
    const title = `category ${this.#random.below(1_000_000)}`;
    const { id } = await client.categories.create({ title });
    this.#ledger.acknowledge('categories', id, { title });
  }

  #take(): Pick<Node, 'id' | 'version'> {
    return this.#notes.splice(this.#random.below(this.#notes.length), 1)[0]!;
  }
}
