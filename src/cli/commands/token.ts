import type { Token } from '../../api/v2-tokens.ts';
import type { BrainClient } from '../../client/http-client.ts';
import { within } from '../../domain/error.ts';
import { ownerId } from '../../domain/values.ts';
import { onGraph, type Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine } from '../screen.ts';

export interface TokenOptions {
  readonly owner: string;
}

export interface CreateTokenOptions extends TokenOptions {
  readonly name: string;
  readonly scope: 'read' | 'write' | 'admin';
  readonly expires: number | 'never';
}

const DAY_MS = 24 * 3600 * 1000;

/** Makes a token. Only the secret goes to stdout, so that a script can take it. */
export async function createTokenCommand(cli: Cli, options: CreateTokenOptions): Promise<ExitCode> {
  const { owner, name, scope, expires } = options;
  const end = expires === 'never' ? undefined : new Date(Date.now() + expires * DAY_MS).toISOString();
  const made = await asOperator(cli, { owner, creates: true }, (client) =>
    client.tokens.create({ name, scopes: [scope], ...(end !== undefined && { expiresAt: end }) }),
  );
  if (cli.screen.json) await cli.screen.document({ owner, ...made });
  else {
    cli.screen.tell(`Token ${made.id} for ${owner}: ${lineOf(made)}`, 'Its secret is shown this once:');
    await cli.screen.print(made.secret ?? '');
  }
  return EXIT.ok;
}

export async function listTokensCommand(cli: Cli, { owner }: TokenOptions): Promise<ExitCode> {
  const { items } = await asOperator(cli, { owner, creates: false }, (client) => client.tokens.list());
  if (cli.screen.json) await cli.screen.document({ owner, items });
  else {
    await cli.screen.print(...items.map((token) => `${token.id}  ${lineOf(token)}`));
    if (items.length === 0) cli.screen.tell(`${owner} has no token.`);
  }
  return EXIT.ok;
}

export async function revokeTokenCommand(cli: Cli, id: string, { owner }: TokenOptions): Promise<ExitCode> {
  await asOperator(cli, { owner, creates: false }, (client) => client.tokens.revoke(id));
  if (cli.screen.json) await cli.screen.document({ owner, id, revoked: true });
  else cli.screen.tell(`Token ${id} of ${owner} opens nothing any more.`);
  return EXIT.ok;
}

/** Throws `invalid` for what can be no owner's name. */
async function asOperator<T>(
  cli: Cli,
  { owner, creates }: TokenOptions & { readonly creates: boolean },
  work: (client: BrainClient) => Promise<T>,
): Promise<T> {
  const operatorFor = within('--owner', () => ownerId(owner));
  return onGraph(cli, { creates, operatorFor }, work);
}

function lineOf({ name, scopes, expiresAt }: Token): string {
  const end = expiresAt === null ? 'does not end' : `until ${expiresAt.slice(0, 'yyyy-mm-dd'.length)}`;
  return `${oneLine(name)}, ${scopes.join(' and ')}, ${end}`;
}
