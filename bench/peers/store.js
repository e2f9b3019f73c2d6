import pg from 'pg';
import { pageStatement, statements } from './statements.js';

const timestampOid = 1114;

/** The pool that every peer has, of ours' size, kept open while others are measured. Timestamps are UTC, and stay texts. */
export function openPool() {
  pg.types.setTypeParser(timestampOid, (text) => `${text.replace(' ', 'T')}Z`);
  return new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20, idleTimeoutMillis: 0 });
}

export const textsOf = (unit) => [unit.scopeId, unit.scopeKey, unit.collector, unit.fetcher];

/** A statement a request, prepared by its name. */
export class Store {
  #pool;

  constructor(pool) {
    this.#pool = pool;
  }

  async query(name, values, text = statements[name]) {
    const { rows } = await this.#pool.query({ name, text, values });
    return rows;
  }

  async read(unit) {
    const rows = await this.query('read', textsOf(unit));
    return rows[0] ?? null;
  }

  async check(unit) {
    const found = await this.read(unit);
    if (found) return { outcome: 'FOUND', state: found };
    const [taken] = await this.query('backfill', textsOf(unit));
    return taken ? { outcome: 'BACKFILLED', state: taken } : { outcome: 'UNKNOWN', state: null };
  }

  async advance(unit, timestamp) {
    const [state] = await this.query('advance', [...textsOf(unit), timestamp]);
    return state ? { outcome: 'ADVANCED', state } : this.refusal(unit, timestamp);
  }

  async refusal(unit, timestamp) {
    const state = await this.read(unit);
    if (!state) return { outcome: 'STALE', state };
    if (!state.active) return { outcome: 'INACTIVE', state };
    const isSame = Date.parse(state.lastProcessedTimestamp) === Date.parse(timestamp);
    return { outcome: isSame ? 'UNCHANGED' : 'REGRESSION', state };
  }

  async advanceMany(advances) {
    const rows = await this.query('advanceMany', parametersOf(advances));
    const outcomes = advances.map(() => 'REGRESSION');
    for (const { place } of rows) outcomes[place - 1] = 'ADVANCED';
    return outcomes;
  }

  async page({ first, after, filter }) {
    const { text, values } = pageStatement({ after: after && JSON.parse(after), filter });
    values[values.length - 1] = first + 1;
    const rows = await this.query(`page ${after ? 'after' : ''} ${filter ? 'filtered' : ''}`, values, text);
    const nodes = rows.slice(0, first);
    const end = nodes.at(-1);
    return {
      nodes,
      hasNextPage: rows.length > first,
      endCursor: end ? JSON.stringify([end.scopeId, end.id]) : null,
    };
  }
}

/** A list for each column, as `unnest` takes them. */
export function parametersOf(items) {
  const lists = [[], [], [], []];
  const timestamps = [];
  for (const { unit, timestamp } of items) {
    textsOf(unit).forEach((text, column) => lists[column].push(text));
    if (timestamp !== undefined) timestamps.push(timestamp);
  }
  return timestamps.length === 0 ? lists : [...lists, timestamps];
}
