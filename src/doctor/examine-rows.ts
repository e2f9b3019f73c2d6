import type { Client } from '../database/pool.js';
import { well, wrong, type Finding } from './finding.js';
import { countRows, findStateColumns, type Rows } from './state-rows.repository.js';

/** Looks through the states, as far as the schema has the columns: before a migration, too. */
export async function examineRows(client: Client): Promise<Finding[]> {
  const columns = await findStateColumns(client);
  if (!columns.isThere) return [];
  const findings: Finding[] = [];
  if (columns.hasUnit) {
    const partly = await countRows(client, 'partly filled', columns);
    findings.push(
      describe(
        partly,
        'partly filled',
        'no unit owns them, and no check ever touches them',
        'fill in what is missing with rekeyScopeState, or delete them with deleteScopeStates',
      ) ?? well('rows', 'none is partly filled'),
    );
    findings.push(
      describe(
        await countRows(client, 'with an empty text', columns),
        'with an empty text',
        'no unit owns them, and no check ever touches them: empty is not NULL',
        'give them a unit with rekeyScopeState, or delete them with deleteScopeStates',
      ) ?? well('rows', 'none has an empty text'),
    );
    const duplicates = await countRows(client, 'duplicates', columns);
    findings.push(
      describe(
        duplicates,
        'duplicates',
        'rows of a unit that has several; a unit has one state',
        'run "scopestate migrate up --on-duplicate keep-earliest", which keeps the earliest state of each unit',
      ) ?? well('rows', 'no unit has two'),
    );
  }
  findings.push(
    describe(
      await countRows(client, 'in the future', columns),
      'in the future',
      'nothing of theirs is rated until then',
      'find out who wrote it, and set it back with resetScopeStates',
    ) ?? well('rows', 'no state is in the future'),
  );
  return findings;
}

function describe(
  { count, sample, hasMore }: Rows,
  what: string,
  meaning: string,
  advice: string,
): Finding | undefined {
  if (count === 0) return undefined;
  const some = sample.map((scopeId) => JSON.stringify(scopeId)).join(', ');
  const more = hasMore ? ', …' : '';
  return wrong('rows', `${count} ${what} (scope id ${some}${more}): ${meaning}`, advice);
}
