import type { Command } from 'commander';
import { readConfig } from '../config.js';
import { PruneRepository } from '../history/prune.repository.js';
import { PruneService } from '../history/prune.service.js';
import { formatDuration } from '../time/duration.js';
import { withStates } from './database-as-it-is.js';
import { stopSignal } from './stop-signal.js';

const pruneHelp = `
A server prunes by itself, every hour, where its database user may: on the embedded PostgreSQL it does. Where the history
belongs to another role, as the README advises, run this now and then with the DATABASE_URL of a user who is a member of
that role ("grant scopestate_history to …" makes one). What is pruned can't be brought back.`;

export function addHistoryCommand(program: Command): void {
  const history = program.command('history').description('Look after the history of states.');
  history
    .command('prune')
    .description('Take away what is older than SCOPESTATE_HISTORY_RETENTION.')
    .option('--dry-run', 'say how much that is, and take nothing away')
    .addHelpText('after', pruneHelp)
    .action(async ({ dryRun }: { dryRun?: true }) => {
      const { historyRetention } = readConfig();
      const older = `older than ${formatDuration(historyRetention)}`;
      await withStates(async ({ pool }) => {
        const service = new PruneService(new PruneRepository(pool), historyRetention);
        if (dryRun) {
          const { entries, until } = await service.prunable();
          const youngest = until ? `, the youngest of ${until.toString()}` : '';
          print(`${entries} entries are ${older}${youngest}. Nothing was pruned: this was a dry run.`);
          await service.requireRight(); // else the real run would fail where this one did not
        } else {
          print(`${await service.prune(stopSignal())} entries ${older} pruned.`);
        }
      });
    });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
