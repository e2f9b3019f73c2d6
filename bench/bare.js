// node:http and pg, and nothing else: no GraphQL, no checks, no history. What it answers fits the requests of batching.js.
//
//   node bench/bare.js single|gathering
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import { setImmediate } from 'node:timers';
import pg from 'pg';

const isGathering = process.argv[2] === 'gathering';
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: isGathering ? 4 : 20 });
const columns =
  's.id, s.identifier, s.scope_key, s.collector, s.fetcher, s.last_processed_timestamp::text as at, s.active, s.version';
const asked =
  'unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamp[]) with ordinality as a (identifier, scope_key, collector, fetcher, at, place)';
const table = 'cloudkitty_storage_states';

const single = {
  read: {
    name: 'read',
    text: `select ${columns} from ${table} s where identifier = $1 and scope_key = $2 and collector = $3 and fetcher = $4 and $5::text is null`,
  },
  advance: {
    name: 'advance',
    text: `update ${table} s set last_processed_timestamp = $5::text::timestamp, version = version + 1
           where identifier = $1 and scope_key = $2 and collector = $3 and fetcher = $4
             and last_processed_timestamp < $5::text::timestamp returning ${columns}`,
  },
};
const many = {
  read: {
    name: 'reads',
    text: `select a.place, ${columns} from ${asked} join ${table} s using (identifier, scope_key, collector, fetcher)`,
  },
  advance: {
    name: 'advances',
    text: `update ${table} s set last_processed_timestamp = a.at, version = version + 1 from ${asked}
           where (s.identifier, s.scope_key, s.collector, s.fetcher) = (a.identifier, a.scope_key, a.collector, a.fetcher)
             and s.last_processed_timestamp < a.at returning a.place, ${columns}`,
  },
};
const waiting = { read: [], advance: [] };
const underWay = { read: 0, advance: 0 };

function perform(kind, values) {
  if (!isGathering) return pool.query({ ...single[kind], values }).then(({ rows }) => rows[0]);
  return new Promise((resolve, reject) => {
    waiting[kind].push({ values, resolve, reject });
    setImmediate(next, kind);
  });
}

function next(kind) {
  if (underWay[kind] >= 2 || waiting[kind].length === 0) return;
  const jobs = waiting[kind].splice(0, 256).sort((one, other) => (one.values[0] < other.values[0] ? -1 : 1));
  underWay[kind]++;
  const values = [0, 1, 2, 3, 4].map((column) => jobs.map((job) => job.values[column]));
  pool
    .query({ ...many[kind], values })
    .then(
      ({ rows }) => {
        for (const row of rows) jobs[row.place - 1].resolve(row);
      },
      (error) => jobs.forEach((job) => job.reject(error)),
    )
    .finally(() => {
      underWay[kind]--;
      next(kind);
    });
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const { variables } = JSON.parse(Buffer.concat(chunks));
    const kind = variables.unit ? 'read' : 'advance';
    const { scopeId, scopeKey, collector, fetcher } = variables.unit ?? variables.input.unit;
    const at = variables.input?.lastProcessedTimestamp.replace('Z', '') ?? null;
    const state = await perform(kind, [scopeId, scopeKey, collector, fetcher, at]);
    const body = JSON.stringify({ data: { outcome: 'ADVANCED', scopeState: state } });
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () =>
  console.error(JSON.stringify({ event: 'ready', url: `http://127.0.0.1:${server.address().port}/graphql` })),
);
process.on('SIGTERM', () => process.exit());
