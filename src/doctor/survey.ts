import type { Client } from '../database/pool.js';
import { describeRevisions } from './cloudkitty-revision.rules.js';
import {
  countRows,
  findCloudKittyRevisions,
  findStateColumns,
  type RowKind,
} from './state-rows.repository.js';

/** What rows of a kind mean for a takeover. */
const meanings: Record<RowKind, string | undefined> = {
  rows: undefined,
  legacy: 'of a scope id alone; the first unit that asks takes one over',
  'partly filled': 'no unit owns them, and no check ever touches them',
  'with an empty text': 'no unit owns them, and no check ever touches them; empty is not NULL',
  duplicates: '"migrate up" stops, unless --on-duplicate says which one of a unit stays',
  'in the future': 'nothing of theirs is rated until then',
  'over-long': '"migrate up" stops: 256 characters for identifier, 40 for the other three',
  'of a time that no answer can hold': '"migrate up" stops: from 1970-01-01 to 9999-12-31',
};

/** What is in the database before anything is touched, in lines of plain text. Only reads. */
export async function survey(client: Client): Promise<string[]> {
  const lines = describeRevisions(await findCloudKittyRevisions(client));
  const columns = await findStateColumns(client);
  if (!columns.isThere) return [...lines, 'no table of states yet'];
  for (const [kind, meaning] of Object.entries(meanings) as [RowKind, string | undefined][]) {
    const { count, sample, hasMore } = await countRows(client, kind, columns);
    const some = sample.map((scopeId) => JSON.stringify(scopeId.slice(0, 60))).join(', ');
    const more = hasMore ? ', …' : '';
    const about = count > 0 && meaning !== undefined ? `: ${meaning} (scope id ${some}${more})` : '';
    lines.push(`${String(count).padStart(9)}  ${kind}${about}`);
  }
  return lines;
}
