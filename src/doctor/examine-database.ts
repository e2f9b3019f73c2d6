import type { Database } from '../database/database.js';
import { asFault } from '../database/faults.js';
import { migrationStatus } from '../database/migrate.js';
import type { Client } from '../database/pool.js';
import { unfitnessOf } from '../database/requirements.js';
import { notReached } from './connection-advice.js';
import { note, well, wrong, type Finding } from './finding.js';
import { examineClock } from './examine-clock.js';
import { examineHistory, examineRights } from './examine-rights.js';
import { examineRows } from './examine-rows.js';
import { examineSchemaUsage } from './examine-schema-usage.js';
import { examineSequence } from './examine-sequence.js';

/** Prepares the database of a URL; connects to nothing yet. */
export type Prepare = (url: string) => Promise<Database>;

/** Long enough to go through a million rows on a busy machine. */
const answerMillis = 15_000;

/** `embedded`: its server migrates it by itself. */
export type Kind = 'own' | 'embedded';

export async function examineDatabase(url: string, kind: Kind, prepare: Prepare): Promise<Finding[]> {
  const database = await prepare(url);
  let client: Client | undefined;
  try {
    try {
      client = database.client(answerMillis); // reads the files of certificates that the URL names
      client.on('error', () => undefined); // shows as the failure of a statement
      await client.connect();
    } catch (error) {
      return [notReached(error)];
    }
    return await examineOver(client, database, kind);
  } finally {
    await client?.end().catch(() => undefined);
    await database.close();
  }
}

/** In one transaction that can't write, so that "changes nothing" is PostgreSQL's promise. */
async function examineOver(client: Client, database: Database, kind: Kind): Promise<Finding[]> {
  const findings: Finding[] = [await examineClock(client)];
  try {
    await client.query('begin isolation level repeatable read read only');
    findings.unshift(await examineServer(client));
    findings.push(...(await examineFitness(client)));
    for await (const finding of examineTables(client, database, kind)) findings.push(finding);
    findings.push(...(await examineRows(client)));
  } catch (error) {
    const fault = asFault(error);
    const said = error instanceof Error ? error.message : String(error);
    findings.push(
      wrong(
        'database',
        `a question to it failed: ${said}`,
        fault === error ? 'see its log' : 'is it going down?',
      ),
    );
  }
  return findings;
}

/** Each question has a meaning only where the one before was answered well. */
async function* examineTables(client: Client, database: Database, kind: Kind): AsyncGenerator<Finding> {
  const unusable = await examineSchemaUsage(client);
  if (unusable) {
    yield unusable;
    return;
  }
  const { finding, isComplete } = await examineMigrations(client, database, kind);
  yield finding;
  if (!isComplete) return;
  yield await examineRights(client);
  if (kind === 'own') yield await examineHistory(client);
  yield await examineSequence(client);
}

async function examineServer(client: Client): Promise<Finding> {
  const { rows } = await client.query<{ version: string; name: string; standby: boolean; readonly: boolean }>(
    `/* examineServer */ select current_setting('server_version') as version, current_database() as name,
       pg_is_in_recovery() as standby,
       current_setting('default_transaction_read_only') = 'on' as readonly`,
  );
  const { version, name, standby, readonly } = rows[0]!;
  const is = `"${name}" on PostgreSQL ${version}`;
  if (standby) return wrong('database', `${is} is a standby, which takes no writes`, 'use the primary');
  if (readonly) {
    return wrong('database', `${is} takes no writes`, 'set its default_transaction_read_only to off');
  }
  return well('database', `${is} answers`);
}

async function examineFitness(client: Client): Promise<Finding[]> {
  const faults = await unfitnessOf(client);
  const advice = 'change that, or use another database: a server refuses to run on this one';
  if (faults.length > 0) return faults.map((fault) => wrong('promises', fault, advice));
  return [well('promises', 'version, encoding and durability fit')];
}

async function examineMigrations(client: Client, database: Database, kind: Kind) {
  const { executed, pending, unknown } = await migrationStatus(database, client);
  const isComplete = pending.length === 0;
  const finding = ((): Finding => {
    if (unknown.length > 0) {
      const found = `made by a newer scopestate (${unknown.join(', ')})`;
      return wrong('schema', found, 'run that version or a later one');
    }
    if (isComplete) return well('schema', `all ${executed.length} migrations are applied`);
    const found = `${pending.length} migrations are pending (${pending.join(', ')})`;
    if (kind === 'embedded') return note('schema', found, 'the next start applies them');
    return wrong('schema', found, 'run "scopestate migrate up", or "scopestate serve --migrate"');
  })();
  return { finding, isComplete };
}
