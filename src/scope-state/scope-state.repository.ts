import type { Grants } from '../caller/grant.rules.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { PreparedStatements } from '../database/prepared-statements.js';
import type { Pool, QueryConfig } from '../database/pool.js';
import { readPrepared, readTexts } from '../database/read.js';
import type { Texts } from '../database/send.js';
import { textArray } from '../database/text-array.js';
import { Parameters } from './condition.sql.js';
import { narrowed } from './granted.sql.js';
import { fromStamp, stamp, table, toldOf, ToldState, utcClock } from './row.sql.js';
import { rowFor, type ScopeState } from './scope-state.rules.js';
import { answers, isCandidate, unitParameters, unitTexts } from './unit-match.sql.js';

/** The row that answers the look-up of a unit, as it stood at one moment, and that moment by the database's clock. */
export interface Found {
  readonly state: ScopeState | undefined;
  readonly now: Temporal.Instant;
}

/** The same of many units, in their order. */
export interface FoundEach {
  readonly states: readonly (ScopeState | undefined)[];
  readonly now: Temporal.Instant;
}

/** Reads that lock nothing and change nothing. */
export class ScopeStateRepository {
  private readonly pool: Pool;
  private readonly statements: PreparedStatements;

  constructor(pool: Pool, statements = new PreparedStatements()) {
    this.pool = pool;
    this.statements = statements;
  }

  /** The row that a check of the unit would answer: its own, else the legacy row of its scope id. */
  async find(unit: CollectionUnit): Promise<Found> {
    const found = await this.read({ ...ofOne, values: unitTexts(unit) });
    const { rows, now } = seen(found);
    return { state: rowFor(unit, rows), now };
  }

  /** The same of each of these. */
  async findEach(units: readonly CollectionUnit[]): Promise<FoundEach> {
    const rows = await this.read({ ...ofEach, values: unitParameters(units).map(textArray) });
    const [, own, now] = rows.find(([, , clock]) => clock !== null)!;
    const states = new Array<ScopeState | undefined>(units.length).fill(undefined);
    for (const told of own?.split(',') ?? []) {
      const place = Number(told.slice(told.lastIndexOf(' ') + 1)) - 1;
      states[place] = new ToldState(units[place]!, told);
    }
    const legacy = new Map<string, ScopeState>();
    for (const [scopeId, told] of rows) {
      if (typeof scopeId === 'string') legacy.set(scopeId, new ToldState({ scopeId, ...noTexts }, told!));
    }
    if (legacy.size > 0) units.forEach(({ scopeId }, place) => (states[place] ??= legacy.get(scopeId)));
    return { states, now: fromStamp(now!) };
  }

  /** None where it is not granted. */
  async byId(id: bigint, grants: Grants): Promise<Found> {
    const parameters = new Parameters([id]);
    const condition = narrowed('s.id = $1::bigint', grants, parameters);
    const text = `/* ScopeStates.byId */ ${rowsWhere(condition)}`;
    const { rows, now } = seen(await readTexts(this.pool, text, parameters.values));
    return { state: rows[0], now };
  }

  private read(statement: QueryConfig & { name: string }): Promise<Texts[]> {
    return readPrepared(this.pool, statement, this.statements);
  }
}

/** Of a legacy row. */
const noTexts = { scopeKey: null, collector: null, fetcher: null } as const;

const nowStamp = stamp(utcClock);

/** Rows, each with the clock; where there is none, one with the clock only. */
function rowsWhere(condition: string): string {
  const columns = ['identifier', 'scope_key', 'collector', 'fetcher']
    .map((column) => `s.${column}`)
    .join(', ');
  return `select clock.now, s.*
    from (select ${nowStamp} as now) clock
      left join (select ${columns}, ${toldOf('s')} as told from ${table} s where ${condition}) s on true`;
}

const ofEach = {
  name: 'ScopeStates.ofEach',
  text: `/* ScopeStates.ofEach */ ${answers(nowStamp)}`,
};

/** Without lists: whoever waits alone waits for less. */
const ofOne = {
  name: 'ScopeStates.ofOne',
  text: `/* ScopeStates.ofOne */ ${rowsWhere(isCandidate)}`,
};

function seen(found: Texts[]): { rows: ScopeState[]; now: Temporal.Instant } {
  const rows: ScopeState[] = [];
  for (const [, scopeId, scopeKey = null, collector = null, fetcher = null, told] of found) {
    if (typeof scopeId === 'string')
      rows.push(new ToldState({ scopeId, scopeKey, collector, fetcher }, told!));
  }
  return { rows, now: fromStamp(found[0]![0]!) };
}
