import type { Client } from '../database/pool.js';
import { rightsNeeded } from '../database/rights.js';
import { note, well, wrong, type Finding } from './finding.js';

/** Whether the user may do what a server does; and if another one looks to be the server's, which. */
export async function examineRights(client: Client): Promise<Finding> {
  const { rows } = await client.query<{ missing: string }>(
    `/* examineRights */ select format('%s on %s', privilege, relation) as missing
     from ${rightsNeeded} where not held`,
  );
  if (rows.length === 0) return well('rights', 'the database user may read and write states');
  const found = `the database user lacks ${rows.map((row) => row.missing).join(', ')}`;
  const servers = await findServerUsers(client);
  if (servers.length === 0) return wrong('rights', found, 'grant them to the user of DATABASE_URL');
  return wrong(
    'rights',
    `${found}; it does not look like the server's: that is ${servers.join(' or ')}, who may add to the history`,
    `use the DATABASE_URL of the server, with its user, or grant them to this one`,
  );
}

/** Who was granted to add to the history, where this user was not. */
async function findServerUsers(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `/* findServerUsers */ select distinct quote_ident(rolname) as name
     from pg_class c, aclexplode(relacl) acl join pg_roles r on r.oid = acl.grantee
     where c.oid = to_regclass('scopestate_history') and privilege_type = 'INSERT' and grantee <> relowner
       and not has_table_privilege(c.oid, 'insert') order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** The embedded one is looked at as its superuser, whom nothing is closed to. */
export async function examineHistory(client: Client): Promise<Finding> {
  const { rows } = await client.query<{ addable: boolean; alterable: boolean; owner: string }>(
    `/* examineHistory */ select has_table_privilege(oid, 'insert') as addable, pg_has_role(relowner, 'member')
       or has_table_privilege(oid, 'update, delete, truncate') as alterable, pg_get_userbyid(relowner) as owner
     from pg_class where oid = 'scopestate_history'::regclass`,
  );
  const { addable, alterable, owner } = rows[0]!;
  if (!addable) return note('history', `the database user may not add to it; it belongs to "${owner}"`);
  if (!alterable) return well('history', 'the database user may add to it, and alter nothing');
  return note(
    'history',
    'the database user may alter it; the README, "History", has roles under which it may not',
  );
}
