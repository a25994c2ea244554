import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Run } from './cli.ts';
import type { CreateTokenOptions, TokenOptions } from './commands/token.ts';

/** `brain2 token` and its parts. */
export function defineToken(program: Command, run: Run): void {
  const token = program
    .command('token')
    .description('make, list and revoke the API tokens of an owner')
    .addHelpText(
      'after',
      `
Whoever may read the data folder may do this, beside a running server and without one. Tokens are asked for where
the server runs with BRAIN2_AUTH=token.

Examples:
  $ brain2 token create --owner ada --name laptop
  $ brain2 token list --owner ada
  $ brain2 token revoke 0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55 --owner ada`,
    );
  defineCreate(token, run);
  token
    .command('list')
    .description('list the tokens of an owner, without their secrets')
    .addOption(owner())
    .addHelpText('after', '\nExamples:\n  $ brain2 token list\n  $ brain2 token list --owner ada --json')
    .action((options: TokenOptions) =>
      run(async (cli) => (await import('./commands/token.ts')).listTokensCommand(cli, options)),
    );
  token
    .command('revoke')
    .description('take a token back: from then on it opens nothing')
    .argument('<id>', 'id of the token, as list shows it')
    .addOption(owner())
    .addHelpText('after', '\nExamples:\n  $ brain2 token revoke 0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55')
    .action((id: string, options: TokenOptions) =>
      run(async (cli) => (await import('./commands/token.ts')).revokeTokenCommand(cli, id, options)),
    );
}

function defineCreate(token: Command, run: Run): void {
  token
    .command('create')
    .description('make a token, and the owner if there is none of that name; the secret is shown once')
    .addOption(owner())
    .option('--name <name>', 'what it is for, to tell it from others', 'cli')
    .addOption(
      new Option('--scope <scope>', 'what it may do: each includes the ones before')
        .choices(['read', 'write', 'admin'])
        .default('write'),
    )
    .option('--expires <days>', 'days until it ends, or never', days, 90)
    .addHelpText(
      'after',
      `
The secret alone goes to stdout, the rest to stderr.

Examples:
  $ brain2 token create
  $ brain2 token create --owner ada --name phone --scope read --expires 30
  $ export BRAIN2_TOKEN=$(brain2 token create --owner ada --scope admin)`,
    )
    .action((options: CreateTokenOptions) =>
      run(async (cli) => (await import('./commands/token.ts')).createTokenCommand(cli, options)),
    );
}

const owner = (): Option =>
  new Option('--owner <name>', 'whose').default('local', 'local, who owns what was made without tokens');

function days(text: string): number | 'never' {
  if (text === 'never') return text;
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number > 0) return number;
  throw new InvalidArgumentError('It is a number of days, or never.');
}
