import type { Command } from 'commander';
import type { Run } from './cli.ts';
import type { BackupOptions } from './commands/backup.ts';
import type { RelinkOptions } from './commands/relink.ts';

// The commands that look after the store as a whole.

export function defineVerify(program: Command, run: Run): void {
  program
    .command('verify')
    .description('check that everything stored is as it was written, and holds together')
    .argument('[path]', 'a backup to check in the place of the data folder')
    .addHelpText(
      'after',
      `
It reads everything and changes nothing, beside a running server too: every row, every index, both ends of every edge,
the counts, the log without a gap and folded to what is stored (as far back as it is kept), and the index of links
against one made anew. Each problem is named with its key and what mends it. Exits with 1 if there is one.

Examples:
  $ brain2 verify
  $ brain2 verify ~/backups/brain2-monday.sqlite
  $ brain2 verify --json | jq .problems`,
    )
    .action((path: string | undefined) =>
      run(async (cli) => (await import('./commands/verify.ts')).verifyCommand(cli, path)),
    );
}

export function defineBackup(program: Command, run: Run): void {
  program
    .command('backup')
    .description('copy everything stored into one file, also while a server writes')
    .argument('<path>', 'the file to write')
    .option('--force', 'write over a file that is there')
    .addHelpText(
      'after',
      `
The copy is of one moment; nobody waits for it. It is checked as brain2 verify does, and bears everything: notes, edges,
the log, tokens. Indexes are made anew where it is restored.

Examples:
  $ brain2 backup ~/backups/brain2-$(date +%F).sqlite
  $ brain2 backup /mnt/usb/brain2.sqlite --force`,
    )
    .action((path: string, options: BackupOptions) =>
      run(async (cli) => (await import('./commands/backup.ts')).backupCommand(cli, path, options)),
    );
}

export function defineRestore(program: Command, run: Run): void {
  program
    .command('restore')
    .description('make the data folder what it was when a backup was made')
    .argument('<path>', 'a file that brain2 backup wrote')
    .option('--force', 'into a folder that is not empty; what is there is kept in a folder beside')
    .addHelpText(
      'after',
      `
Stop the server first. The backup is checked before anything is put in place. Clients that listen read everything anew.
A token that was revoked since the backup opens again: revoke it again.

Examples:
  $ brain2 restore ~/backups/brain2-monday.sqlite --data ~/restored
  $ brain2 restore ~/backups/brain2-monday.sqlite --force`,
    )
    .action((path: string, options: BackupOptions) =>
      run(async (cli) => (await import('./commands/backup.ts')).restoreCommand(cli, path, options)),
    );
}

export function defineRelink(program: Command, run: Run): void {
  program
    .command('relink')
    .description('link all notes anew: say what would change, change it, or take it back')
    .option('--dry-run', 'say which edges would change, and change none (what is done without an option)')
    .option('--apply [run]', 'change the edges; with the id of a dry run, as that said')
    .option('--revert <run>', 'take back what a run changed')
    .addHelpText(
      'after',
      `
A note is linked when it comes, and has not seen those that come later; a run closes that. What you drew, weighed,
accepted or rejected stays as it is. A run can be taken back for seven days; an edge that has changed since is left.

Examples:
  $ brain2 relink
  $ brain2 relink --apply 01a208c1-aede-7000-968e-8c66be42df4b
  $ brain2 relink --revert 01a208c1-b1d9-7000-8a4f-0e6c6f0c5b1d`,
    )
    .action((options: RelinkOptions) =>
      run(async (cli) => (await import('./commands/relink.ts')).relinkCommand(cli, options)),
    );
}
