import type { DatabaseSync } from 'node:sqlite';
import { BrainError } from '../../domain/error.ts';

/** Marks the file as Brain2's in its header: "BRN2". */
const APPLICATION_ID = 0x42524e32;

/**
 * Each migration leads from the version of its place to the next, in one transaction with the raise of
 * `user_version`: a cut leaves the old version whole. Released ones are never edited, only followed.
 */
const MIGRATIONS: readonly string[] = [
  // A rowid table: with 2 KB payloads, WITHOUT ROWID makes gets twice as slow. `sum` is a CRC-32 of the row.
  `CREATE TABLE item (
     pk  TEXT NOT NULL,
     sk  TEXT NOT NULL,
     et  TEXT NOT NULL,
     ver INTEGER,
     ttl INTEGER,
     j   TEXT NOT NULL,
     sum INTEGER NOT NULL,
     UNIQUE (pk, sk)
   );
   CREATE VIEW node AS
     SELECT j ->> 'owner' AS owner, sk AS id, j ->> 'title' AS title, j ->> 'content' AS content,
            j -> 'tags' AS tags, j ->> 'archived' AS archived, j -> 'source' AS source,
            j ->> 'createdAt' AS created_at, j ->> 'updatedAt' AS updated_at, ver AS version
     FROM item WHERE et GLOB 'node.*';
   CREATE VIEW edge AS
     SELECT j ->> 'owner' AS owner, j ->> 'id' AS id, j ->> 'sourceId' AS source_id, j ->> 'targetId' AS target_id,
            j ->> 'type' AS type, j ->> 'weight' AS weight, j ->> 'origin' AS origin, j ->> 'status' AS status,
            j -> 'reasons' AS reasons, j ->> 'createdAt' AS created_at, j ->> 'updatedAt' AS updated_at, ver AS version
     FROM item WHERE et GLOB 'edge.*';
   CREATE VIEW category AS
     SELECT j ->> 'owner' AS owner, sk AS id, j ->> 'title' AS title, j ->> 'parentId' AS parent_id,
            j ->> 'createdAt' AS created_at, j ->> 'updatedAt' AS updated_at, ver AS version
     FROM item WHERE et GLOB 'category.*';
   CREATE VIEW event AS
     SELECT substr(item.pk, 1, length(item.pk) - 3) AS owner, e.value ->> 'seq' AS seq, e.value ->> 'at' AS at,
            e.value ->> '$.event.type' AS type, e.value ->> 'correlationId' AS correlation_id,
            e.value -> 'event' AS event
     FROM item, json_each(item.j, '$.events') AS e WHERE item.et GLOB 'log.*';`,
  // Few rows have an end: those are found by it, to be swept.
  'CREATE INDEX item_ttl ON item (ttl) WHERE ttl IS NOT NULL;',
];

/** Only reads. Throws `schema_newer` for a file that a newer Brain2 wrote, `corrupt` for one of another program. */
export function checkSchema(database: DatabaseSync, path: string): void {
  database.exec('BEGIN'); // so that all is read of one state: another process may be creating it
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  const isNew = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  database.exec('COMMIT');
  if (application !== APPLICATION_ID && !(isNew && version === 0 && application === 0)) {
    throw new BrainError('corrupt', `${path} is a database of another program`, { operation: 'store.open' });
  }
  if (version > MIGRATIONS.length) {
    throw new BrainError(
      'schema_newer',
      `${path} was written by a newer Brain2 (schema ${version}; this one knows up to ${MIGRATIONS.length}). ` +
        'Install the newer version, or restore a backup made before the upgrade.',
      { operation: 'store.open', details: { found: version, known: MIGRATIONS.length } },
    );
  }
}

/** Brings a file that `checkSchema` took to this version. */
export function migrate(database: DatabaseSync): void {
  for (const [from, sql] of MIGRATIONS.entries()) {
    if (pragma(database, 'user_version') > from) continue;
    database.exec('BEGIN IMMEDIATE');
    // Asked again under the lock: another process may have been first.
    if (pragma(database, 'user_version') === from) {
      database.exec(`${sql}
        PRAGMA user_version = ${from + 1};
        PRAGMA application_id = ${APPLICATION_ID};`);
    }
    database.exec('COMMIT');
  }
}

export function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
