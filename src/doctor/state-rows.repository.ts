import type { Client } from '../database/pool.js';

/** Rows that are worth knowing of: how many, and the scope ids of some. */
export interface Rows {
  count: number;
  sample: string[];
  /** whether others are not in the sample */
  hasMore: boolean;
}

export type RowKind =
  | 'rows'
  | 'legacy'
  | 'partly filled'
  | 'with an empty text'
  | 'duplicates'
  | 'in the future'
  | 'over-long'
  | 'of a time that no answer can hold';

/** The columns of the table of states, at whichever of CloudKitty's revisions or ours it is; none: there is no table. */
export class StateColumns {
  readonly isThere: boolean;
  readonly hasUnit: boolean;
  readonly timestamp: string;
  private readonly names: Set<string>;

  constructor(names: Set<string>) {
    this.names = names;
    this.isThere = names.has('identifier');
    this.hasUnit = ['scope_key', 'collector', 'fetcher'].every((name) => names.has(name));
    this.timestamp = names.has('state') ? 'state' : 'last_processed_timestamp';
  }

  get times(): string[] {
    return [this.timestamp, 'scope_activation_toggle_date'].filter((name) => this.names.has(name));
  }
}

const legacy = 'num_nulls(scope_key, collector, fetcher) = 3';
const partlyFilled = 'num_nulls(scope_key, collector, fetcher) in (1, 2)';
const emptyText = `'' in (identifier, scope_key, collector, fetcher)`;
const overLong = 'greatest(char_length(scope_key), char_length(collector), char_length(fetcher)) > 40';

/** What is counted; undefined where the table has no columns for it yet, so that no row can be of that kind. */
function conditionOf(kind: RowKind, { hasUnit, timestamp, times }: StateColumns): string | undefined {
  const inUnit = (condition: string) => (hasUnit ? condition : undefined);
  switch (kind) {
    case 'rows':
      return 'true';
    case 'legacy':
      return inUnit(legacy) ?? 'true';
    case 'partly filled':
      return inUnit(partlyFilled);
    case 'with an empty text':
      return inUnit(emptyText) ?? `identifier = ''`;
    case 'duplicates':
      return 'copies > 1';
    case 'in the future':
      return `${timestamp} > timezone('utc', clock_timestamp()) and isfinite(${timestamp})`;
    case 'over-long':
      return `char_length(identifier) > 256${hasUnit ? ` or ${overLong}` : ''}`;
    case 'of a time that no answer can hold':
      return `not (${times.map((name) => `${name} >= '1970-01-01' and ${name} < '10000-01-01'`).join(' and ')})`;
  }
}

/** As "migrate up" counts them: each row of a unit that has several. */
function counted({ hasUnit }: StateColumns): string {
  const unit = hasUnit ? 'identifier, scope_key, collector, fetcher' : 'identifier';
  return `(select *, count(*) over (partition by ${unit}) as copies from cloudkitty_storage_states) counted`;
}

export async function countRows(client: Client, kind: RowKind, columns: StateColumns): Promise<Rows> {
  const condition = conditionOf(kind, columns);
  if (condition === undefined) return { count: 0, sample: [], hasMore: false };
  const from = kind === 'duplicates' ? counted(columns) : 'cloudkitty_storage_states';
  const { rows } = await client.query<{ count: string; sample: string[] }>(
    `/* countRows */
     select (select count(*) from ${from} where ${condition}) as count,
       array(select identifier from ${from} where ${condition} order by id limit 3)::text[] as sample`,
  );
  const { count, sample } = rows[0]!;
  return { count: Number(count), sample: [...new Set(sample)], hasMore: Number(count) > sample.length };
}

export async function findStateColumns(client: Client): Promise<StateColumns> {
  const { rows } = await client.query<{ name: string }>(
    `/* findStateColumns */ select attname as name from pg_attribute
     where attrelid = to_regclass('cloudkitty_storage_states') and attnum > 0 and not attisdropped`,
  );
  return new StateColumns(new Set(rows.map(({ name }) => name)));
}

/** What CloudKitty's own migrations have noted; empty where no CloudKitty has been. */
export async function findCloudKittyRevisions(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ there: boolean }>(
    `/* findCloudKitty */ select to_regclass('storage_states_alembic') is not null as there`,
  );
  if (!rows[0]?.there) return [];
  const { rows: revisions } = await client.query<{ version_num: string }>(
    `/* findCloudKittyRevisions */ select version_num from storage_states_alembic`,
  );
  return revisions.map(({ version_num }) => version_num);
}
