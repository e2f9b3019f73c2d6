import { cpuOf, cpuOfPostgres } from './machine/cpu.js';

/** One operation on one server for so long, after a moment of the same that is not counted. */
export async function measure({ postgres, load }, target, { operation, concurrency, seconds, warmSeconds }) {
  const { name } = target;
  const run = (duration) => load.run({ name, operation, millis: duration * 1000 });
  const cpu = () => ({ server: cpuOf(target.pid), postgres: cpuOfPostgres(postgres.pid) });
  await load.open({ name, concurrency });
  try {
    const warm = await run(warmSeconds);
    if (warm.failure) return { failure: warm.failure };
    const before = cpu();
    const result = await run(seconds);
    const after = cpu();
    const failure = result.failure ?? (await notStored(target, result.advances));
    if (failure) return { failure };
    return {
      rate: result.requests / (result.elapsedMillis / 1000),
      p50: result.p50,
      p99: result.p99,
      serverMicros: (after.server - before.server) / result.requests,
      postgresMicros: (after.postgres - before.postgres) / result.requests,
    };
  } finally {
    await load.close({ name });
  }
}

/** Asks the database whether what was answered as advanced is. */
async function notStored({ client }, advances) {
  if (advances.length === 0) return undefined;
  const { rows } = await client.query(
    `select count(*)::int as stored
     from unnest($1::text[], $2::timestamp[]) a(identifier, processed)
     join cloudkitty_storage_states s
       on s.identifier = a.identifier and s.last_processed_timestamp >= a.processed`,
    [advances.map(({ unit }) => unit.scopeId), advances.map(({ timestamp }) => timestamp)],
  );
  const missing = advances.length - rows[0].stored;
  return missing === 0
    ? undefined
    : `${missing} of ${advances.length} advances were answered, but not stored`;
}
