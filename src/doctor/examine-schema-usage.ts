import type { Client } from '../database/pool.js';
import { wrong, type Finding } from './finding.js';

/**
 * Tables of a schema that the user may not use are for him as if they were not there, and so are the migrations noted in it.
 * Only where sessions look is searched: a schema of others is none of ours.
 */
export async function examineSchemaUsage(client: Client): Promise<Finding | undefined> {
  const { rows } = await client.query<{ user: string; schema: string; grant: string }>(
    `/* examineSchemaUsage */ select current_user as user, nspname as schema,
       format('grant usage on schema %I to %I', nspname, current_user) as grant
     from regexp_matches(current_setting('search_path'), '"((?:[^"]|"")+)"|([^",[:space:]]+)', 'g')
       with ordinality as path (part, place)
     join pg_namespace n on nspname =
       coalesce(replace(nullif(part[1], '$user'), '""', '"'), nullif(lower(part[2]), '$user'), current_user)
     where not has_schema_privilege(n.oid, 'usage') and exists (
       select from pg_class where relnamespace = n.oid and to_regclass(relname::text) is null
         and relname in ('cloudkitty_storage_states', 'scopestate_migrations'))
     order by place limit 1`,
  );
  const [found] = rows;
  if (!found) return undefined;
  const { user, schema, grant } = found;
  return wrong(
    'schema',
    `the database user "${user}" may not use the schema "${schema}", in which the tables are`,
    `as the owner of the schema: ${grant}`,
  );
}
