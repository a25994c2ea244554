import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { Run } from './cli.ts';
import type { AddOptions } from './commands/add.ts';
import type { ExportOptions } from './commands/export.ts';
import type { ImportOptions } from './commands/import.ts';
import type { MigrateOptions } from './commands/migrate.ts';
import type { NeighborsOptions } from './commands/neighbors.ts';
import type { SearchOptions } from './commands/search.ts';
import type { ServeOptions } from './commands/serve.ts';
import { defineBackup, defineRelink, defineRestore, defineVerify } from './store-program.ts';
import { defineDemo } from './demo-program.ts';
import { defineJobs } from './jobs-program.ts';
import { defineToken } from './token-program.ts';
import type { WatchOptions } from './commands/watch.ts';
import { VERSION } from '../server/version.ts';

const NOTE_NAMES = `
A note is named by its id, or by its title or an alias, whatever the case.`;

const OVERVIEW = `
Examples:
  $ brain2 demo                      bring notes to look around in
  $ brain2 import ~/notes            read a folder of Markdown, link it, store it
  $ brain2 add "Tea keeps me awake"  store a thought and see what it connects to
  $ brain2 search "deep sleep"       find notes
  $ brain2 why Sleep Melatonin       see why two notes are connected
  $ brain2 serve                     serve the graph over HTTP

Every command but watch works beside a running server and without one, on the same data folder.
Data goes to stdout, messages to stderr. Exit codes: 0 ok, 1 failed, 2 usage, 3 not found,
4 conflict (also: the data folder is in use), 5 partial.
Settings: --data or BRAIN2_DATA_DIR, --token or BRAIN2_TOKEN, BRAIN2_HOST, BRAIN2_PORT, BRAIN2_AUTH,
BRAIN2_LOG_LEVEL, BRAIN2_LOG_FORMAT, BRAIN2_STORE, BRAIN2_TABLE; \`brain2 help serve\` and docs/guides/security.md name the others.`;

/** The command line: what each command takes and how it is explained. The work is loaded when it is asked for. */
export function brainProgram(output: { readonly json: boolean }, run: Run): Command {
  const program = new Command('brain2')
    .description('Notes that connect themselves, and tell you why.')
    .version(VERSION, '-V, --version', 'print the version')
    .option('--data <dir>', 'data folder (default: BRAIN2_DATA_DIR, or ./data)')
    .option('--token <token>', 'API token, where the server asks for one (default: BRAIN2_TOKEN)')
    .option('--json', 'print one JSON document; errors as JSON on stderr')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput(output.json ? { writeErr: () => undefined } : {})
    .showHelpAfterError(output.json ? false : '(add --help for what it takes)')
    .addHelpText('after', OVERVIEW)
    .exitOverride();
  const define = [
    defineServe,
    defineDemo,
    defineImport,
    defineAdd,
    defineSearch,
    defineShow,
    defineWhy,
    defineNeighbors,
    defineWatch,
    defineExport,
    defineJobs,
    defineTable,
    defineMigrate,
    defineToken,
    defineRelink,
    defineVerify,
    defineBackup,
    defineRestore,
    defineDoctor,
  ];
  for (const command of define) command(program, run);
  return program;
}

function defineServe(program: Command, run: Run): void {
  program
    .command('serve')
    .description('serve the graph over HTTP until Ctrl-C')
    .option('--host <host>', 'address to listen on (default: BRAIN2_HOST, or 127.0.0.1)')
    .option('--port <port>', 'port to listen on, 0 for any (default: BRAIN2_PORT, or 4321)')
    .addHelpText(
      'after',
      `
The next free port is taken, and said, where the asked one is in use. Logs go to stdout as lines of JSON;
one of them is {"msg":"listening","url":"http://…"}. Ctrl-C finishes what is under way; a second one does not wait.

BRAIN2_AUTH says who is served: local (this machine, as one owner), token (API tokens, see brain2 token), or jwt
(BRAIN2_JWKS_URL, BRAIN2_JWT_ISSUER, BRAIN2_JWT_AUDIENCE). BRAIN2_RATE_LIMIT (600/m, off), BRAIN2_ALLOWED_ORIGINS
and BRAIN2_TRUST_PROXY say how much, which pages, and behind which proxies.

Examples:
  $ brain2 serve
  $ brain2 serve --port 8080 --data ~/brain
  $ BRAIN2_LOG_FORMAT=pretty brain2 serve`,
    )
    .action((options: ServeOptions) =>
      run(async (cli) => (await import('./commands/serve.ts')).serveCommand(cli, options)),
    );
}

function defineImport(program: Command, run: Run): void {
  program
    .command('import')
    .description('read a folder or a file of notes into the graph, and link them')
    .argument(
      '<path>',
      'a folder of Markdown (Obsidian or plain) or a .zip of one, or a .md, .ndjson, .jsonl or .json file',
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--prune', 'delete notes of an earlier import of it that are no longer there')
    .addOption(
      new Option('--categories <from>', 'what becomes the category of a note')
        .choices(['folders', 'frontmatter', 'none'])
        .default('none'),
    )
    .option('--name <name>', 'name of the collection (default: the name of the folder or file)')
    .option('--root <folder>', 'of one .md file: the folder that it is a note of (default: found, see below)')
    .option('--verbose', 'list every broken link and warning')
    .addHelpText(
      'after',
      `
Importing again updates what has changed and doubles nothing. [[Wikilinks]] and relative links become edges that
stand as yours; content makes the automatic ones. What cannot be read is listed with the reason, the rest goes in,
and the exit code is 5. A record of NDJSON or JSON is {"id", "title", "text", "tags"?, "aliases"?}.

One .md file is a note of the folder above it that was imported before, else of the nearest that is a vault of
Obsidian or Logseq, else of the folder it lies in; --root says otherwise. So it updates what that folder brought.

Examples:
  $ brain2 import ~/notes --dry-run
  $ brain2 import ~/notes --categories folders
  $ brain2 import ~/notes/daily/monday.md
  $ brain2 import ~/notes --prune
  $ brain2 import bookmarks.ndjson --name bookmarks --json`,
    )
    .action((path: string, options: ImportOptions) =>
      run(async (cli) => (await import('./commands/import.ts')).importCommand(cli, path, options)),
    );
}

function defineAdd(program: Command, run: Run): void {
  program
    .command('add')
    .description('store a note, and tell what it connects to and why')
    .argument('[text...]', 'the text; "-" or none reads it from stdin')
    .option('-t, --title <title>', 'title of the note')
    .option('--tag <tag>', 'a tag; give it again for more', collect)
    .addHelpText(
      'after',
      `
Examples:
  $ brain2 add "Melatonin sets the circadian clock"
  $ brain2 add --title Sleep --tag health --tag habits "Eight hours, in the dark"
  $ pbpaste | brain2 add --title "From the clipboard"`,
    )
    .action((words: readonly string[], options: AddOptions) =>
      run(async (cli) => (await import('./commands/add.ts')).addCommand(cli, words, options)),
    );
}

function defineSearch(program: Command, run: Run): void {
  program
    .command('search')
    .description('find notes by their words, best first')
    .argument('<query...>', 'words; the last may be the beginning of one, and mistyped ones are forgiven')
    .option('-n, --limit <number>', 'notes to list, 1 to 100', wholeNumber(1, 100), 10)
    .option('--tag <tag>', 'only notes with this tag')
    .option('--category <category>', 'only notes of this category, by title or id')
    .addHelpText(
      'after',
      `
Examples:
  $ brain2 search circadian rhythm
  $ brain2 search sleep --tag health --limit 5
  $ brain2 search sleep --json | jq -r '.items[].node.id'`,
    )
    .action((words: readonly string[], options: SearchOptions) =>
      run(async (cli) => (await import('./commands/search.ts')).searchCommand(cli, words.join(' '), options)),
    );
}

function defineShow(program: Command, run: Run): void {
  program
    .command('show')
    .description('print a note and its links')
    .argument('<note...>', 'id, title or alias')
    .addHelpText(
      'after',
      `${NOTE_NAMES}\n\nExamples:\n  $ brain2 show Sleep\n  $ brain2 show Circadian rhythm --json`,
    )
    .action((words: readonly string[]) =>
      run(async (cli) => (await import('./commands/show.ts')).showCommand(cli, words.join(' '))),
    );
}

function defineWhy(program: Command, run: Run): void {
  program
    .command('why')
    .description('explain why two notes are connected, or how far they are from it')
    .argument('<a>', 'id, title or alias of one note')
    .argument('<b>', 'of the other')
    .addHelpText(
      'after',
      `${NOTE_NAMES}\n\nExamples:\n  $ brain2 why Sleep Melatonin\n  $ brain2 why "Deep sleep" "Circadian rhythm"`,
    )
    .action((a: string, b: string) =>
      run(async (cli) => (await import('./commands/why.ts')).whyCommand(cli, a, b)),
    );
}

function defineNeighbors(program: Command, run: Run): void {
  program
    .command('neighbors')
    .description('list the notes around a note, nearest and strongest first')
    .argument('<note...>', 'id, title or alias')
    .option('-d, --depth <edges>', 'how many edges away, 1 to 3', wholeNumber(1, 3), 1)
    .option('--min-weight <weight>', 'only edges of at least this weight, 0 to 1', weight, 0)
    .option('-n, --limit <number>', 'notes to list, 1 to 200', wholeNumber(1, 200), 20)
    .addHelpText(
      'after',
      `${NOTE_NAMES}\n\nExamples:\n  $ brain2 neighbors Sleep\n  $ brain2 neighbors Sleep --depth 2 --min-weight 0.3`,
    )
    .action((words: readonly string[], options: NeighborsOptions) =>
      run(async (cli) =>
        (await import('./commands/neighbors.ts')).neighborsCommand(cli, words.join(' '), options),
      ),
    );
}

function defineWatch(program: Command, run: Run): void {
  program
    .command('watch')
    .description('print what happens in the graph, as it happens, until Ctrl-C')
    .option('--types <types>', 'only these events, with commas between them: node.*, edge.created', listed)
    .option('--since <position>', 'what came after it too: start, a number, or EPOCH-NUMBER')
    .addHelpText(
      'after',
      `
It needs a running server. When the server goes away, it waits and goes on where it was, leaving nothing out.
With --json each event is one JSON document on a line of its own.

Examples:
  $ brain2 watch
  $ brain2 watch --types node.created,node.updated
  $ brain2 watch --since start --json | jq -r .type`,
    )
    .action((options: WatchOptions) =>
      run(async (cli) => (await import('./commands/watch.ts')).watchCommand(cli, options)),
    );
}

function defineExport(program: Command, run: Run): void {
  program
    .command('export')
    .description('write everything out, so that it can be imported again')
    .argument('[path]', 'a folder or a .zip for Markdown, a file for NDJSON (default: NDJSON to stdout)')
    .addOption(
      new Option('--format <format>', 'by default what the path asks for').choices(['markdown', 'ndjson']),
    )
    .option('--force', 'write into a folder that is not empty, or over a file')
    .addHelpText(
      'after',
      `
Markdown carries title, tags, aliases, dates, category, key and hand-made links in its frontmatter: read it back with
\`brain2 import --categories frontmatter\`. NDJSON carries everything: notes with their ids, categories, the edges of
people and their decisions. Read back into an empty graph, both give the same export again, to the byte.

Examples:
  $ brain2 export > notes.ndjson
  $ brain2 export ./vault
  $ brain2 export | gzip > notes.ndjson.gz`,
    )
    .action((path: string | undefined, options: ExportOptions) =>
      run(async (cli) => (await import('./commands/export.ts')).exportCommand(cli, path, options)),
    );
}

function defineDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .description('check the settings, the data folder and the store, and say what to fix')
    .addHelpText(
      'after',
      '\nExits with 1 if there is a problem.\n\nExamples:\n  $ brain2 doctor\n  $ brain2 doctor --json',
    )
    .action(() => run(async (cli) => (await import('./commands/doctor.ts')).doctorCommand(cli)));
}

function defineTable(program: Command, run: Run): void {
  program
    .command('table')
    .description('make the DynamoDB table of BRAIN2_STORE=dynamodb, or tell what it is like')
    .addArgument(new Argument('<action>', 'create, or status').choices(['create', 'status']))
    .addHelpText(
      'after',
      `
The table is that of BRAIN2_TABLE (default: brain2); region, credentials and endpoint are those of the AWS SDK.
create pays by use, protects the table against deletion, keeps 35 days of backups, and lets expired items be removed.
Of a table that is there already it makes good what is missing.

Examples:
  $ brain2 table create
  $ AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000 brain2 table create
  $ BRAIN2_TABLE=brain2-test brain2 table status --json`,
    )
    .action((action: 'create' | 'status') =>
      run(async (cli) => (await import('./commands/table.ts')).tableCommand(cli, action)),
    );
}

function defineMigrate(program: Command, run: Run): void {
  const stores = ['sqlite', 'dynamodb'];
  program
    .command('migrate')
    .description('move everything from one store into another, and compare the two')
    .addOption(new Option('--from <store>', 'where it is').choices(stores).makeOptionMandatory())
    .addOption(new Option('--to <store>', 'where it is to be').choices(stores).makeOptionMandatory())
    .option('--resume', 'go on with a move that was cut off')
    .option('--force', 'delete all that the target holds, and begin anew')
    .addHelpText(
      'after',
      `
The SQLite store is that of --data, the table that of BRAIN2_TABLE, which \`brain2 table create\` makes. Notes, edges,
categories, logs, tokens and jobs of every owner move as they are, with their ids and positions; the source stays as it
is. Stop what serves either of them first. In the end both are read again and compared: the hash that is printed is of
all they hold. Whatever cuts it off, --resume goes on; until it is done, nothing serves the target.

Examples:
  $ brain2 migrate --from sqlite --to dynamodb
  $ brain2 migrate --from sqlite --to dynamodb --resume
  $ brain2 migrate --from dynamodb --to sqlite --data ./copy --json`,
    )
    .action((options: MigrateOptions) =>
      run(async (cli) => (await import('./commands/migrate.ts')).migrateCommand(cli, options)),
    );
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function listed(value: string): readonly string[] {
  const parts = value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length > 0) return parts;
  throw new InvalidArgumentError('Name one, or some with commas between them.');
}

function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= from && number <= to) return number;
    throw new InvalidArgumentError(`It is a whole number from ${from} to ${to}.`);
  };
}

function weight(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('It is a number from 0 to 1.');
}
