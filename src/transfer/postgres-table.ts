import { openForeignSession } from '../database/foreign-session.js';
import { fetchAll } from '../database/snapshot.js';
import { sourceTable, type ForeignTable } from './database-source.js';

interface ColumnRow {
  name: string;
  is_time: boolean;
}

export async function openPostgresTable(url: string): Promise<ForeignTable> {
  const client = await openForeignSession(url);
  const found = async () =>
    (
      await client.query<ColumnRow>(
        `/* PostgresTable.columns */ select column_name as name, data_type like 'timestamp%' as is_time
         from information_schema.columns
         where table_schema = any (current_schemas(false)) and table_name = $1 order by ordinal_position`,
        [sourceTable],
      )
    ).rows;
  return {
    columns: async () => (await found()).map(({ name }) => name),
    count: async () => {
      const { rows } = await client.query<{ count: string }>(
        `/* PostgresTable.count */ select count(*) from ${sourceTable}`,
      );
      return Number(rows[0]!.count);
    },
    async *rows(columns) {
      const times = new Set((await found()).filter(({ is_time }) => is_time).map(({ name }) => name));
      const list = columns.map((name) => (times.has(name) ? `${name}::timestamp(6)::text` : name));
      const text = `select ${list.join(', ')} from ${sourceTable}`;
      for await (const rows of fetchAll<Record<string, unknown>>(client, 'PostgresTable.rows', text)) {
        yield rows.map((row) => columns.map((name) => row[name]));
      }
    },
    close: () => client.end().catch(() => {}),
  };
}
