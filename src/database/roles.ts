import type { Pool } from './pool.js';

/** Owns the history: whoever is not its member can add to it, and alter nothing. */
const historyRole = 'scopestate_history';
/** What a server on the embedded PostgreSQL connects as. */
export const serverRole = 'scopestate_server';

/** Two that start at once would both make the roles. */
const rolesLock = 7_226_118_403_202n;

/** Role names stand in no parameter. */
const makeRole = (name: string) => `
  do $$ begin
    if to_regrole('${name}') is null then create role ${name}; end if;
  end $$;`;

/** What a server may do: with states as it likes, to their history only add. The README has the same for a server of yours. */
const rights = `
  alter table scopestate_history owner to ${historyRole};
  alter table scopestate_history_start owner to ${historyRole};
  alter function scopestate_record_foreign_row owner to ${historyRole};
  alter function scopestate_record_foreign_write owner to ${historyRole};
  alter function scopestate_record_foreign_truncate owner to ${historyRole};
  grant select on cloudkitty_storage_states to ${historyRole};
  grant select, insert, update, delete on cloudkitty_storage_states to ${serverRole};
  grant usage on sequence cloudkitty_storage_states_id_seq to ${serverRole};
  grant select, update on scopestate_write_probe to ${serverRole};
  grant select on scopestate_migrations, scopestate_history_start, scopestate_tokens to ${serverRole};
  grant select, insert on scopestate_history to ${serverRole};
  grant select on sequence scopestate_history_sequence_seq to ${serverRole};`;

/**
 * Makes the two roles of the embedded PostgreSQL, and gives them their rights once there are tables. The server's password
 * is as good as its process: every start sets a new one.
 */
export async function separateRoles(superuser: Pool, password: string): Promise<void> {
  const client = await superuser.connect();
  try {
    await client.query(`begin; select pg_advisory_xact_lock(${rolesLock})`);
    await client.query(makeRole(historyRole) + makeRole(serverRole));
    await client.query(`alter role ${serverRole} login password ${client.escapeLiteral(password)}`);
    const { rows } = await client.query<{ there: boolean }>(
      `/* separateRoles */ select to_regclass('scopestate_tokens') is not null as there`,
    );
    if (rows[0]!.there) await client.query(rights);
    await client.query('commit');
    client.release();
  } catch (error) {
    client.release(true); // closed, which rolls back
    throw error;
  }
}
