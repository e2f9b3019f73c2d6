import type { Client } from '../database/pool.js';
import { note, well, wrong, type Finding } from './finding.js';

const subject = 'ids';
const table = 'cloudkitty_storage_states';
const sequence = 'cloudkitty_storage_states_id_seq';

interface Ids {
  highest: string | null;
  /** which right on the sequence the user has */
  readable: boolean;
  usable: boolean;
  mend: string;
}

/**
 * Rows that others insert with ids of their own, a restored copy perhaps, leave the sequence behind. It is asked after the
 * highest id: a server at work can only have moved it on meanwhile.
 */
export async function examineSequence(client: Client): Promise<Finding> {
  const { rows } = await client.query<Ids>(
    `/* examineSequence */ select (select max(id) from ${table})::text as highest,
       has_sequence_privilege('${sequence}', 'select') as readable,
       has_sequence_privilege('${sequence}', 'usage') as usable,
       format('select setval(''%1$I.${sequence}'', (select max(id) from %1$I.${table}))', nspname) as mend
     from pg_class c join pg_namespace n on n.oid = relnamespace where c.oid = '${table}'::regclass`,
  );
  const { highest, readable, usable, mend } = rows[0]!;
  const fits = well(subject, 'new rows get ones that no row has');
  if (highest === null) return fits;
  const next = readable || usable ? await nextId(client, readable) : null;
  if (next === null) {
    const found = 'whether new rows get ones that no row has is hidden from the database user';
    return note(subject, found, `grant select on sequence ${sequence} to that user`);
  }
  if (BigInt(next) > BigInt(highest)) return fits;
  return wrong(
    subject,
    `a new row would get ${next}, and there are rows up to ${highest}: creations fail where they meet one`,
    `as the owner of the table: ${mend}`,
  );
}

/** Null where it can't be told: without the right to read it, a sequence does not say where it begins. */
async function nextId(client: Client, readable: boolean): Promise<string | null> {
  const [next, from] = readable
    ? ['last_value + case when is_called then seqincrement else 0 end', `${sequence}, `]
    : ['pg_sequence_last_value(seqrelid) + seqincrement', ''];
  const { rows } = await client.query<{ next: string | null }>(
    `/* nextId */ select (${next})::text as next from ${from}pg_sequence
     where seqrelid = '${sequence}'::regclass`,
  );
  return rows[0]!.next;
}
