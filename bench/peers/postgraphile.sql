-- What a PostGraphile user writes beside his table: names, fields that may be filtered by, and functions for what is more
-- than a row's change. Run on PostGraphile's own copy of the database.
comment on table cloudkitty_storage_states is E'@name scope_state';
comment on column cloudkitty_storage_states.identifier is E'@name scope_id';
comment on column cloudkitty_storage_states.collector is E'@behavior +filterBy';
comment on column cloudkitty_storage_states.active is E'@behavior +filterBy';

-- Only this table and its functions are to be served.
comment on table scopestate_history is E'@behavior -*';
comment on table scopestate_history_start is E'@behavior -*';
comment on table scopestate_migrations is E'@behavior -*';
comment on table scopestate_write_probe is E'@behavior -*';

create function check_scope_state(scope_id text, scope_key text, collector text, fetcher text)
returns cloudkitty_storage_states language plpgsql volatile as $$
declare
  found_state cloudkitty_storage_states;
begin
  select s.* into found_state from cloudkitty_storage_states s
  where s.identifier = $1 and s.scope_key = $2 and s.collector = $3 and s.fetcher = $4;
  if not found then
    update cloudkitty_storage_states s set scope_key = $2, collector = $3, fetcher = $4, version = s.version + 1
    where s.identifier = $1 and s.scope_key is null and s.collector is null and s.fetcher is null
    returning s.* into found_state;
  end if;
  return found_state;
end $$;

create function advance_scope_state(scope_id text, scope_key text, collector text, fetcher text, processed timestamp)
returns cloudkitty_storage_states language sql volatile as $$
  update cloudkitty_storage_states s
  set last_processed_timestamp = $5, version = s.version + 1,
    updated_at = timezone('utc', clock_timestamp()), last_advanced_at = timezone('utc', clock_timestamp())
  where s.identifier = $1 and s.scope_key = $2 and s.collector = $3 and s.fetcher = $4
    and s.active and s.last_processed_timestamp < $5
  returning s.*
$$;

create function advance_scope_states(
  scope_ids text[], scope_keys text[], collectors text[], fetchers text[], processed timestamp[]
) returns text[] language sql volatile as $$
  with advanced as (
    update cloudkitty_storage_states s
    set last_processed_timestamp = u.processed, version = s.version + 1,
      updated_at = timezone('utc', clock_timestamp()), last_advanced_at = timezone('utc', clock_timestamp())
    from unnest($1, $2, $3, $4, $5) with ordinality u(scope_id, scope_key, collector, fetcher, processed, place)
    where s.identifier = u.scope_id and s.scope_key = u.scope_key and s.collector = u.collector
      and s.fetcher = u.fetcher and s.active and s.last_processed_timestamp < u.processed
    returning u.place
  )
  select array_agg(case when a.place is null then 'REGRESSION' else 'ADVANCED' end order by p.place)
  from generate_series(1, cardinality($1)) p(place) left join advanced a using (place)
$$;
