import { labelOf, type Node } from '../domain/node.ts';
import { aliases, categoryTitle, tags, title } from '../domain/values.ts';
import type { VaultWriter } from '../services/export-job.ts';
import { fitNote } from '../services/fit-note.ts';
import { categoryPath } from '../vault/category-path.ts';
import { vaultFiles, type ExportableNote, type Kept } from '../vault/export-notes.ts';
import { zipOf } from '../vault/write-zip.ts';

/** A vault of Markdown in a zip. */
export const vaultWriter: VaultWriter = ({ nodes, edges, categories }) => {
  const exportable = (node: Node): ExportableNote => {
    const [first] = node.categories;
    const category = first ? categoryPath(first.categoryId, categories) : [];
    return { ...node, label: labelOf(node), category };
  };
  return zipOf(vaultFiles(nodes.map(exportable), edges, kept));
};

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
