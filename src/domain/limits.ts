/**
 * What one note, edge or category may hold. They follow from the stricter engine (an item of 390 KB, 100 writes in
 * a transaction): a note of the greatest size with its event, its tags and its links always fits in one transaction.
 */
export const LIMITS = {
  /** Characters (UTF-16 code units, as in JavaScript and JSON schemas). */
  titleLength: 500,
  /** Bytes of the text as a JSON string in UTF-8: what a store really keeps. */
  contentBytes: 300_000,
  tags: 32,
  tagLength: 100,
  aliases: 32,
  categoriesOfNode: 16,
  sourceKeyBytes: 900,
  categoryTitleLength: 100,
  categoryDescriptionLength: 500,
  categoryIconLength: 50,
  /** Levels of the category tree. */
  categoryDepth: 3,
  labelLength: 100,
  reasonsOfEdge: 8,
  reasonTermLength: 200,
  /** Automatic links that one note makes from its own side. */
  linksOfNode: 15,
} as const;
