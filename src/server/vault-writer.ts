import { labelOf } from '../domain/node.ts';
import { aliases, categoryTitle, tags, title } from '../domain/values.ts';
import { linesOf } from '../http/import-lines.ts';
import type { ExportedCategory, ExportedEdge, ExportedNode, ExportedPart } from '../services/exported.ts';
import { fitNote } from '../services/fit-note.ts';
import { categoryPath } from '../vault/category-path.ts';
import { vaultFiles, type ExportableNote, type Kept } from '../vault/export-notes.ts';
import { zipOf } from '../vault/write-zip.ts';

/** A vault of Markdown in a zip, of the lines of an export. It is held in memory; the same lines give the same bytes. */
export async function* zipOfExport(lines: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const nodes: ExportedNode[] = [];
  const edges: ExportedEdge[] = [];
  const categories: ExportedCategory[] = [];
  for await (const line of linesOf(lines)) {
    if (line === '') continue;
    const part = JSON.parse(line) as ExportedPart;
    if ('node' in part) nodes.push(part.node);
    else if ('edge' in part) edges.push(part.edge);
    else if ('category' in part) categories.push(part.category);
  }
  const exportable = (node: ExportedNode): ExportableNote => {
    const [first] = node.categories;
    const category = first ? categoryPath(first.id, categories) : [];
    return { ...node, label: labelOf(node), category };
  };
  yield* zipOf(vaultFiles(nodes.map(exportable), edges, kept));
}

/** As an import stores it. */
const kept: Kept = (read) => {
  const { note } = fitNote(read);
  return {
    ...read,
    title: title(note.title ?? ''),
    tags: tags(note.tags ?? []),
    aliases: aliases(note.aliases ?? []),
    ...(note.category && { category: note.category.map(categoryTitle) }),
  };
};
