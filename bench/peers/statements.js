// What the peers that write their SQL themselves send: prepared, one statement for each operation. Advances are guarded
// as ours are: a state does not go back, and an inactive one stays.
const table = 'cloudkitty_storage_states';
const columns = (alias) => `${alias}.id, ${alias}.identifier as "scopeId", ${alias}.scope_key as "scopeKey",
  ${alias}.collector, ${alias}.fetcher, ${alias}.last_processed_timestamp as "lastProcessedTimestamp",
  ${alias}.active, ${alias}.version`;
const isUnit = (texts) => {
  const [scopeId, scopeKey, collector, fetcher] = texts;
  return `s.identifier = ${scopeId} and s.scope_key = ${scopeKey} and s.collector = ${collector} and s.fetcher = ${fetcher}`;
};
const ofUnit = isUnit(['$1', '$2', '$3', '$4']);
const advanceTo = (timestamp) => `last_processed_timestamp = ${timestamp}, version = s.version + 1,
  updated_at = timezone('utc', clock_timestamp()), last_advanced_at = timezone('utc', clock_timestamp())`;
const units = 'unnest($1::text[], $2::text[], $3::text[], $4::text[]';
const ofItem = isUnit(['u.scope_id', 'u.scope_key', 'u.collector', 'u.fetcher']);
const item = 'u(scope_id, scope_key, collector, fetcher';

export const statements = {
  read: `select ${columns('s')} from ${table} s where ${ofUnit}`,
  backfill: `update ${table} s set scope_key = $2, collector = $3, fetcher = $4, version = s.version + 1
    where s.identifier = $1 and s.scope_key is null and s.collector is null and s.fetcher is null
    returning ${columns('s')}`,
  advance: `update ${table} s set ${advanceTo('$5::timestamp')}
    where ${ofUnit} and s.active and s.last_processed_timestamp < $5::timestamp returning ${columns('s')}`,
  readMany: `select u.place::int, ${columns('s')}
    from ${units}) with ordinality ${item}, place) join ${table} s on ${ofItem}`,
  advanceMany: `update ${table} s set ${advanceTo('u.processed')}
    from ${units}, $5::timestamp[]) with ordinality ${item}, processed, place)
    where ${ofItem} and s.active and s.last_processed_timestamp < u.processed
    returning u.place::int, ${columns('s')}`,
};

/** The page after a place, in the order of scope ids. */
export function pageStatement({ after, filter }) {
  const conditions = [];
  const values = [];
  const add = (value) => `$${values.push(value)}`;
  if (after) conditions.push(`(s.identifier, s.id) > (${add(after[0])}, ${add(after[1])}::int)`);
  if (filter?.collector !== undefined) conditions.push(`s.collector = ${add(filter.collector)}`);
  if (filter?.active !== undefined) conditions.push(`s.active = ${add(filter.active)}`);
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  const text = `select ${columns('s')} from ${table} s ${where}
    order by s.identifier, s.id limit ${add(0)}::int`;
  return { text, values };
}
