/** SQL of all rights that a server needs: `relation`, `privilege`, and whether the session's user has it (`held`). */
export const rightsNeeded = `(
  select relation, privilege, coalesce(case relation
      when 'cloudkitty_storage_states_id_seq' then has_sequence_privilege(to_regclass(relation), privilege)
      else has_table_privilege(to_regclass(relation), privilege)
    end, false) as held
  from (values ('cloudkitty_storage_states', 'select'), ('cloudkitty_storage_states', 'insert'),
    ('cloudkitty_storage_states', 'update'), ('cloudkitty_storage_states', 'delete'),
    ('cloudkitty_storage_states_id_seq', 'usage'), ('scopestate_write_probe', 'update'), ('scopestate_migrations', 'select'),
    ('scopestate_history', 'select'), ('scopestate_history', 'insert'),
    ('scopestate_history_start', 'select'), ('scopestate_tokens', 'select')) needed (relation, privilege)
) needed`;
