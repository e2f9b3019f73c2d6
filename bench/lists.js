// How lists grow with the table: server-side times (EXPLAIN ANALYZE, medians) of the statements that the repository sends,
// at 10,000, 100,000 and 1,000,000 states, and what the table and its indexes weigh. After `npm run build`:
//
//   npm exec -- node bench/lists.js [rounds]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import pg from 'pg';
import { startEmbeddedPostgres } from '../dist/database/embedded/embedded-postgres.js';
import { createLog } from '../dist/log.js';
import { PageRepository } from '../dist/scope-state/page.repository.js';
import { fillWithStates } from '../test/support/many-states.ts';
import { NotingPool } from '../test/support/plans.ts';

const rounds = Number(process.argv[2] ?? 7);
const sizes = [10_000, 100_000, 1_000_000];
const run = promisify(execFile);
const byId = { field: 'SCOPE_ID', direction: 'ASC' };
const byTime = { field: 'LAST_PROCESSED_TIMESTAMP', direction: 'ASC' };
const [longAgo, today] = ['2026-05-01T00:00:00Z', '2026-06-20T00:00:00Z'].map((at) =>
  Temporal.Instant.from(at),
);
const rare = { collectors: ['rare'] };
const common = { collectors: ['gnocchi'] };

const lists = {
  'page by scope id, first': page({}, byId),
  'page by scope id, near the end': page({}, byId, 0.9999),
  'page by scope id, near the end, backward': page({}, byId, 0.9999, true),
  'page of a common collector (60 %)': page(common, byId),
  'page of a rare collector (0.1 %)': page(rare, byId),
  'page of the inactive (0.5 %)': page({ active: false }, byId),
  'page of the legacy (0.5 %)': page({ legacy: true }, byId),
  'page by timestamp, first': page({}, byTime),
  'who is behind since 50 days, by timestamp': page({ processedBefore: longAgo }, byTime),
  'who has not come to today, by timestamp': page({ processedBefore: today }, byTime),
  'page by timestamp amid today (98 %)': page({}, byTime, 0.5),
  totalCount: count({}),
  'totalCount of a common collector': count(common),
  'totalCount of a rare collector': count(rare),
  'totalCount of who is behind since 50 days': count({ processedBefore: longAgo }),
};

const folder = await mkdtemp(join(tmpdir(), 'scopestate-bench-'));
const postgres = await startEmbeddedPostgres({ dataDir: folder, log: createLog('warn') });
const rows = new Map(['point read', ...Object.keys(lists)].map((name) => [name, []]));
try {
  for (const size of sizes) await measureAt(size);
  console.log(
    `| milliseconds, median of ${rounds} | ${sizes.map((size) => size.toLocaleString('en')).join(' | ')} |`,
  );
  console.log(`| --- | ${sizes.map(() => '--:').join(' | ')} |`);
  for (const [name, times] of rows)
    console.log(`| ${name} | ${times.map((time) => time.toFixed(2)).join(' | ')} |`);
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measureAt(size) {
  const url = new URL(postgres.url);
  const admin = new pg.Client(url.href);
  await admin.connect();
  await admin.query(`create database lists_${size}`);
  await admin.end();
  url.pathname = `/lists_${size}`;
  await run(process.execPath, ['dist/main.js', 'migrate', 'up'], { env: { DATABASE_URL: url.href } });
  const client = new pg.Client(url.href);
  await client.connect();
  await fillWithStates({ connect: async () => client }, size);
  const noting = new NotingPool(client);
  const pages = new PageRepository(noting.pool);
  const timed = async (name, send) => {
    const times = [];
    for (let round = 0; round <= rounds; round++) {
      await send();
      times.push((await noting.planOfLast(client)).millis);
    }
    rows.get(name).push(median(times.slice(1))); // the first one warms up
  };
  await timed('point read', () =>
    noting.pool.query(
      `select * from cloudkitty_storage_states where identifier = $1 and scope_key = $2 and collector = $3 and fetcher = $4`,
      [...'4 project_id gnocchi keystone'.split(' ')],
    ),
  );
  for (const [name, list] of Object.entries(lists)) {
    const send = await list(pages, client, size);
    await timed(name, send);
  }
  const { rows: weights } = await client.query(
    `select relname, pg_size_pretty(pg_relation_size(oid)) as weight from pg_class
     where relname ~ '^(cloudkitty_storage_states|uq_cloudkitty.*|scopestate_states.*)' and relkind in ('r', 'i') order by 1`,
  );
  console.log(`${size}: ${weights.map(({ relname, weight }) => `${relname} ${weight}`).join(', ')}`);
  await client.end();
}

function page(filter, order, share = 0, backward = false) {
  return async (pages, client, size) => {
    const place = share > 0 ? await placeAt(client, order, Math.floor(size * share)) : undefined;
    const [after, before] = backward ? [undefined, place] : [place, undefined];
    return () => pages.page({ filter, order, size: 100, backward, after, before });
  };
}

function count(filter) {
  return async (pages) => () => pages.count(filter);
}

async function placeAt(client, { field }, offset) {
  const key = field === 'SCOPE_ID' ? 'identifier' : 'last_processed_timestamp';
  const { rows: found } = await client.query(
    `select id, identifier, to_char(last_processed_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
     from cloudkitty_storage_states order by ${key}, id offset $1 limit 1`,
    [offset],
  );
  const [{ id, identifier, at }] = found;
  return { id, key: field === 'SCOPE_ID' ? identifier : Temporal.Instant.from(at) };
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
}
