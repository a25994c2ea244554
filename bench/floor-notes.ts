import { readFileSync, writeFileSync } from 'node:fs';

// The answers of one server, given by another that does nothing else.

export function writeNotes(path: string, byId: ReadonlyMap<string, string>): void {
  writeFileSync(path, JSON.stringify([...byId]));
}

/** The body of each note, as it was answered, by its id; empty without a file. */
export function notesById(path: string | undefined): ReadonlyMap<string, string> {
  return new Map(
    path === undefined
      ? []
      : (JSON.parse(readFileSync(path, 'utf8')) as readonly (readonly [string, string])[]),
  );
}
