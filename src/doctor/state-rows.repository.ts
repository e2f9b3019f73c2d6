import type { Client } from '../database/pool.js';

/** Rows that something is wrong with: how many, and the scope ids of some. */
export interface Rows {
  count: number;
  sample: string[];
}

const conditions = {
  'partly filled': `from cloudkitty_storage_states where num_nulls(scope_key, collector, fetcher) in (1, 2)`,
  duplicates: `from (select identifier, row_number() over (
      partition by identifier, scope_key, collector, fetcher order by id) as place
    from cloudkitty_storage_states) numbered where place > 1`,
  'in the future': `from cloudkitty_storage_states
    where last_processed_timestamp > timezone('utc', clock_timestamp())`,
} as const;

export async function countRows(client: Client, condition: keyof typeof conditions): Promise<Rows> {
  const { rows } = await client.query<{ count: string; sample: string[] | null }>(
    `/* StateRowsRepository.countRows */
     select count(*) as count, (array_agg(identifier order by identifier))[1:3] as sample ${conditions[condition]}`,
  );
  return { count: Number(rows[0]!.count), sample: rows[0]!.sample ?? [] };
}

export async function findStateColumns(client: Client): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    `/* StateRowsRepository.findStateColumns */ select attname as name from pg_attribute
     where attrelid = to_regclass('cloudkitty_storage_states') and attnum > 0 and not attisdropped`,
  );
  return new Set(rows.map(({ name }) => name));
}
