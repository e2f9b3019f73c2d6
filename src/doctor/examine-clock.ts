import type { Client } from '../database/pool.js';
import { well, wrong, type Finding } from './finding.js';

/** What time synchronisation keeps with ease; collectors that run on this machine are as wrong as it is. */
const clockToleranceMillis = 2_000;

/** Whole microseconds: a float's digits depend on the session's `extra_float_digits`. */
export async function examineClock(client: Client): Promise<Finding> {
  const before = Date.now();
  const { rows } = await client.query<{ micros: string }>(
    '/* examineClock */ select (extract(epoch from clock_timestamp()) * 1000000)::bigint::text as micros',
  );
  return compareClocks(Number(rows[0]!.micros) / 1000, before, Date.now());
}

/** The database's clock was read between the two times of ours, in milliseconds. */
export function compareClocks(theirs: number, before: number, after: number): Finding {
  const ahead = theirs - (before + after) / 2;
  const found = `this machine's and the database's differ by ${(Math.abs(ahead) / 1000).toFixed(1)} s`;
  if (Math.abs(ahead) <= clockToleranceMillis + (after - before) / 2) return well('clock', found);
  const behind = ahead > 0 ? 'this machine is behind' : 'the database is behind';
  return wrong('clock', `${found}: ${behind}`, "set both by NTP; scopestate goes by the database's");
}
