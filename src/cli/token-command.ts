import { Option, type Command } from 'commander';
import { TokenRepository, type ListedToken } from '../access/token.repository.js';
import { TokenService, unitsOf } from '../access/token.service.js';
import { formatGrant } from '../access/token.rules.js';
import { BadInput, OperatorError } from '../fault.js';
import { roles } from '../caller/role.rules.js';
import { parseDuration } from '../time/duration.js';
import { formatInstant } from '../time/instant.js';
import { withStates } from './database-as-it-is.js';

const shortestLife = parseDuration('PT1S');
const longestLife = parseDuration('P36500D');

const createHelp = `
The token is printed on standard output, this once: keep it where other secrets are. Servers of the database take it at
once, and notice within two seconds when it is revoked. Its name stands in the history and in logs.

  reader     may look                                     operator   may also switch, reset and undo
  collector  may also check, advance and create           admin      may do everything, with all units

A grant has a pattern for each text of a unit that it is about, in which * stands for any characters. With several
grants, a unit has to fit one of them.`;

interface CreateOptions {
  name: string;
  role: string;
  grant: string[];
  expiresIn?: string;
}

export function addTokenCommand(program: Command): void {
  const token = program.command('token').description('Say who may come in: make, list and revoke tokens.');
  const create = token
    .command('create')
    .description('Make a token and print it, once.')
    .requiredOption('--name <name>', 'what the history and logs call whoever uses it (required)')
    .requiredOption('--role <role>', `${roles.join(', ')} (required)`)
    .addOption(
      new Option(
        '--grant <patterns>',
        'units it is for, such as collector=gnocchi,scopeId=tenant-*; may be repeated',
      )
        .argParser((text: string, before: string[]) => [...before, text])
        .default([], '*, all units'),
    )
    .option('--expires-in <duration>', 'such as P90D (default: never)')
    .addHelpText('after', createHelp)
    .action(async ({ expiresIn, ...request }: CreateOptions) => {
      try {
        const life = expiresIn === undefined ? undefined : lifeOf(expiresIn);
        await withTokens(async (service) => {
          const made = await service.create({ ...request, grants: request.grant, expiresIn: life });
          try {
            await tell(`${made.text}\n`);
          } catch (error) {
            await service.revoke(made.token.id);
            throw new OperatorError(
              `the token can't be shown (${(error as Error).message}): nobody has it, and it is revoked`,
            );
          }
          process.stderr.write(
            `${describe(made.token).join('  ')}\nThis is the only time that it is shown.\n`,
          );
        });
      } catch (error) {
        if (error instanceof BadInput) create.error(`error: ${error.message}`, { exitCode: 2 });
        throw error;
      }
    });
  token
    .command('list')
    .description('Say which tokens there are, the latest first; never what they are.')
    .action(() =>
      withTokens(async (service) => {
        const lines = [heading, ...(await service.list()).map(describe)];
        const widths = heading.map((_, column) => Math.max(...lines.map((line) => lengthOf(line[column]!))));
        for (const line of lines) print(line, widths);
      }),
    );
  token
    .command('revoke')
    .description('Take a token out of force; servers refuse it within two seconds.')
    .argument('<id or name>', 'as "token list" shows it')
    .action((idOrName: string) =>
      withTokens(async (service) => {
        const { id, name } = await service.revoke(idOrName);
        process.stdout.write(`revoked ${id} (${name})\n`);
      }),
    );
}

/** Rejects where it is not written to standard output. */
function tell(text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  process.stdout.on('error', reject);
  process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  return promise;
}

function withTokens(work: (service: TokenService) => Promise<void>): Promise<void> {
  return withStates(({ pool }) => work(new TokenService(new TokenRepository(pool))));
}

function lifeOf(text: string): Temporal.Duration {
  try {
    const life = parseDuration(text);
    const isIn = (least: Temporal.Duration, most: Temporal.Duration) =>
      Temporal.Duration.compare(least, most) <= 0;
    if (isIn(shortestLife, life) && isIn(life, longestLife)) return life;
  } catch {
    // said below
  }
  throw new BadInput(
    '--expires-in',
    JSON.stringify(text),
    'an ISO 8601 duration from PT1S to P36500D, for example P90D',
  );
}

const heading = ['NAME', 'ID', 'STATE', 'ROLE', 'CREATED', 'EXPIRES', 'GRANTS'];

function describe(token: ListedToken): string[] {
  const { name, id, state, role, createdAt, expiresAt } = token;
  const grants = unitsOf(token)?.map(formatGrant).join(' ') ?? 'not readable: it lets nobody in';
  const seconds = (time: Temporal.Instant) =>
    formatInstant(time.round({ smallestUnit: 'second', roundingMode: 'floor' }));
  return [name, id, state, role, seconds(createdAt), expiresAt ? seconds(expiresAt) : 'never', grants];
}

function print(line: string[], widths: number[]): void {
  const cells = line.map((cell, column) => cell + ' '.repeat(widths[column]! - lengthOf(cell)));
  process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
