import type { Grants } from '../caller/grant.rules.js';
import type { Pool } from '../database/pool.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { PreparedStatements } from '../database/prepared-statements.js';
import { readPrepared, readTexts } from '../database/read.js';
import type { Texts } from '../database/send.js';
import { textArray } from '../database/text-array.js';
import { Parameters } from './condition.sql.js';
import { narrowed } from './granted.sql.js';
import { fromStamp, readColumns, readNames, readStates, stamp, table, utcClock } from './row.sql.js';
import type { ScopeState } from './scope-state.rules.js';
import { answeringRows, isCandidate, unitParameters, unitTexts } from './unit-match.sql.js';

/** Rows as they stood at one moment, and that moment by the database's clock. */
export interface Seen {
  rows: ScopeState[];
  now: Temporal.Instant;
}

/** Reads that lock nothing and change nothing. */
export class ScopeStateRepository {
  private readonly pool: Pool;
  private readonly statements: PreparedStatements;

  constructor(pool: Pool, statements = new PreparedStatements()) {
    this.pool = pool;
    this.statements = statements;
  }

  /**
   * Rows by which `rowFor` answers the look-up of each of these units: its own, and where it has none at least the legacy row of its
   * scope id. In no order; that of a unit that is asked for twice comes twice.
   */
  async candidates(units: readonly CollectionUnit[]): Promise<Seen> {
    const [one, ...others] = units;
    const statement =
      one && others.length === 0
        ? { ...candidatesOfOne, values: unitTexts(one) }
        : { ...candidates, values: unitParameters(units).map(textArray) };
    return seen(await readPrepared(this.pool, statement, this.statements));
  }

  /** None where it is not granted. */
  async byId(id: bigint, grants: Grants): Promise<{ row: ScopeState | undefined; now: Temporal.Instant }> {
    const parameters = new Parameters([id]);
    const condition = narrowed('s.id = $1::bigint', grants, parameters);
    const text = `/* ScopeStates.byId */ ${rowsWhere(condition)}`;
    const { rows, now } = seen(await readTexts(this.pool, text, parameters.values));
    return { row: rows[0], now };
  }
}

/** The rows, each with the clock; where there is none, one with the clock only. */
function withClock(rows: string): string {
  return `select s.*, ${stamp('clock.now')} as now_stamp
    from (select ${utcClock} as now) clock left join (${rows}) s on true`;
}

function rowsWhere(condition: string): string {
  return withClock(`select ${readColumns('s')} from ${table} s where ${condition}`);
}

const candidates = {
  name: 'ScopeStates.candidates',
  text: `/* ScopeStates.candidates */ ${withClock(answeringRows(readColumns('c'), readNames))}`,
};

/** Without lists: whoever waits alone waits for less. */
const candidatesOfOne = {
  name: 'ScopeStates.ofOne',
  text: `/* ScopeStates.ofOne */ ${rowsWhere(isCandidate)}`,
};

function seen(found: Texts[]): Seen {
  return { rows: readStates(found), now: fromStamp(found[0]!.at(-1)!) };
}
