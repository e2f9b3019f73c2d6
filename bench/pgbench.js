// pgbench beside the servers: one statement a transaction, prepared, nothing between it and PostgreSQL.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cpuOfPostgres } from './machine/cpu.js';
import { statements } from './peers/statements.js';

const run = promisify(execFile);
const mostClients = 20; // as the servers' pools

/** The program, or undefined where Debian's is not installed. */
export async function findPgbench() {
  const found = await Array.fromAsync(glob('/usr/lib/postgresql/*/bin/pgbench'));
  if (found.length > 0) return found.toSorted().at(-1);
  return existsSync('/usr/bin/pgbench') ? '/usr/bin/pgbench' : undefined;
}

export const versionOfPgbench = async (program) => (await run(program, ['--version'])).stdout.trim();

export const isForPgbench = (operation) => operation === 'read' || operation === 'advance';

export async function measurePgbench(
  program,
  { postgres, url },
  { operation, concurrency, seconds, states },
) {
  const script = join(postgres.folder, `pgbench-${operation}.sql`);
  await writeFile(script, scriptOf(operation, states));
  const { hostname, port, username, password, pathname } = new URL(url);
  const clients = Math.min(concurrency, mostClients);
  const log = join(postgres.folder, 'pgbench-log');
  const before = cpuOfPostgres(postgres.pid);
  const { stdout } = await run(
    program,
    [
      ...['-n', '-M', 'prepared', '-c', clients, '-j', Math.min(clients, 2), '-f', script],
      ...['-T', Math.max(1, Math.round(seconds)), '-l', `--log-prefix=${log}`],
      ...['-h', hostname, '-p', port, '-U', username, pathname.slice(1)],
    ].map(String),
    { env: { PATH: process.env.PATH, PGPASSWORD: password, PGSSLMODE: 'disable' } },
  );
  const cpu = cpuOfPostgres(postgres.pid) - before;
  const latencies = await latenciesIn(log);
  const rate = Number(/^tps = ([\d.]+)/m.exec(stdout)[1]);
  const failed = Number(/^number of failed transactions: (\d+)/m.exec(stdout)?.[1] ?? 0);
  if (failed > 0) return { failure: `${failed} transactions failed` };
  return {
    rate,
    p50: latencies[Math.floor(latencies.length * 0.5)] / 1000,
    p99: latencies[Math.floor(latencies.length * 0.99)] / 1000,
    postgresMicros: cpu / latencies.length,
  };
}

/** Of every hundred states the first seven are neither legacy nor inactive (data/units.js). */
function scriptOf(operation, states) {
  const scopeId = 'md5((:n)::text)::uuid::text';
  const collector = `('{gnocchi,prometheus,monasca,ceilometer,influx,opensearch,loki,mimir}'::text[])[:n % 8 + 1]`;
  const processed = `s.last_processed_timestamp + interval '1 minute'`;
  const values = { 1: scopeId, 2: `'project_id'`, 3: collector, 4: `'keystone'`, 5: processed };
  const text = statements[operation]
    .replaceAll('$5::timestamp', '$5')
    .replace(/\$(\d)/g, (_, place) => values[place])
    .replace(/\s+/g, ' ');
  return `\\set n random(0, ${Math.floor(states / 100) - 1}) * 100 + random(0, 6)\n${text};\n`;
}

/** In microseconds, sorted: the third word of each line of pgbench's logs. */
async function latenciesIn(log) {
  const latencies = [];
  for (const file of await Array.fromAsync(glob(`${log}.*`))) {
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      if (line !== '') latencies.push(Number(line.split(' ')[2]));
    }
    await rm(file);
  }
  return latencies.toSorted((one, other) => one - other);
}
