// Migrates an empty database and compares what it has become: with the entities, and with migrations/layout.txt, which
// is committed so that a review shows what a migration does. `--write` writes that file anew.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../dist/config.js';
import { createLog } from '../dist/log.js';
import { openStorage } from '../dist/storage.js';

const layoutFile = 'migrations/layout.txt';
const folder = mkdtempSync(join(tmpdir(), 'scopestate-layout-'));
const storage = await openStorage(readConfig({ SCOPESTATE_DATA_DIR: folder }), createLog('warn'));
const faults = [];
try {
  await storage.migrate();
  const { orm, pool } = storage.owner;
  const difference = await orm.schema.getUpdateSchemaSQL({ safe: true, dropTables: false });
  const layout = await describe(pool);
  if (difference.trim() !== '')
    faults.push(`the entities want what the migrations don't make:\n${difference}`);
  if (process.argv.includes('--write')) writeFileSync(layoutFile, layout);
  else if (readFileSync(layoutFile, 'utf8') !== layout) {
    faults.push(
      `${layoutFile} is not what the migrations make: npm run migration:layout, and look at the difference`,
    );
  }
} finally {
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
}
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;

async function describe(pool) {
  const { rows } = await pool.query(`
    select * from (
      select 1 as part, c.relname as relation, a.attnum::text as place,
        format('%s.%s %s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
          coalesce(' collate ' || quote_ident(k.collname), ''),
          case when a.attnotnull then ' not null' else '' end,
          coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      left join pg_collation k on k.oid = a.attcollation and a.attcollation <> t.typcollation
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      union all
      select 2, conrelid::regclass::text, conname, format('%s: constraint %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint where connamespace = 'public'::regnamespace and conrelid <> 0 and contype in ('c', 'f', 'p', 'u', 'x')
      union all
      select 3, tablename, indexname, indexdef from pg_indexes where schemaname = 'public'
      union all
      select 4, tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
      union all
      select 5, proname, proname, pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
      union all
      select 6, typname, typname, format('domain %s as %s %s', typname, format_type(typbasetype, typtypmod), pg_get_constraintdef(k.oid))
      from pg_type t join pg_constraint k on contypid = t.oid where typnamespace = 'public'::regnamespace
      union all
      select 7, sequencename, sequencename, format('sequence %s as %s', sequencename, data_type) from pg_sequences where schemaname = 'public'
    ) parts order by part, relation collate "C", lpad(place, 80), line`);
  return `${rows.map(({ line }) => line).join('\n')}\n`;
}
