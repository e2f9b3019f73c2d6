import type { Grants } from '../caller/grant.rules.js';
import type { Pool, PoolClient } from '../database/pool.js';
import { forManyStates, patientQuery } from '../database/deadlines.js';
import { LookAgain } from '../database/faults.js';
import type { Line } from '../database/line.js';
import { inTurn } from '../database/transaction.js';
import { read } from '../database/read.js';
import { Parameters, conditionOf } from './condition.sql.js';
import { narrowed } from './granted.sql.js';
import type { Plan } from './plan-token.rules.js';
import { asItWas, authorValues, record, type Author } from './record.sql.js';
import { micros, rowColumns, table, toInstant, toScopeState, toTimestamp, utcClock } from './row.sql.js';
import type { ScopeStateRow } from './row.sql.js';
import type { ScopeState } from './scope-state.rules.js';
import type { Selection } from './selection.rules.js';
import { unitParameters } from './unit-match.sql.js';

/** What is to be done to every state of a selection. */
export type Intent =
  | { kind: 'reset'; lastProcessedTimestamp: Temporal.Instant }
  | { kind: 'activation'; active: boolean }
  | { kind: 'deletion' };

export interface Planned {
  matched: number;
  plan: Plan;
  inFuture: boolean;
  sample: ScopeState[];
  /** JSON of the ids, or of the units' four texts, that are there */
  found: string[];
  now: Temporal.Instant;
}

export interface Applied extends Planned {
  /** false: the plan is stale, or the time lies in the future; nothing was changed */
  applied: boolean;
  changed: number;
  advancedSincePlan: number;
}

const sampleSize = 20;

const idDigest = `concat_ws(' ', count(*), sum(hashint8extended(s.id, 1)), sum(hashint8extended(s.id, 2)))`;

interface PlanRow extends Partial<ScopeStateRow> {
  matched: string;
  digest: string;
  made_micros: string;
  in_future: boolean;
  found: string[] | null;
  applied: boolean;
  changed: string;
  advanced: string;
  sample_ids: number[];
  present_ids: string;
}

/**
 * Selections as a whole: a dry run is one snapshot, an application one statement over the rows it locked. Rows that are not
 * granted belong to none.
 */
export class SelectionRepository {
  private readonly pool: Pool;
  private readonly line: Line;

  /** @param line in which operators' changes take turns */
  constructor(pool: Pool, line: Line) {
    this.pool = pool;
    this.line = line;
  }

  /** Counts and digests a selection in constant memory; changes nothing. */
  async plan(selection: Selection, intent: Intent, grants: Grants): Promise<Planned> {
    const parameters = new Parameters();
    const condition = selectionCondition(selection, grants, parameters);
    const rows = await read<PlanRow>(
      this.pool,
      `/* Selection.plan */
       with clock as materialized (select ${utcClock} as now),
       plan as (
         select ${aggregates(selection, intent, parameters, 'clock.now')}
         from clock left join ${table} s on ${condition} group by clock.now
       ), sample as (
         select ${rowColumns('s')} from ${table} s where ${condition} order by s.identifier, s.id limit ${sampleSize}
       )
       select plan.*, sample.* from plan left join sample on true`,
      parameters.values,
    );
    return plannedOf(rows);
  }

  /**
   * Locks the selection in id order, digests what it locked, and changes it only when the digest is the plan's (no plan:
   * changes it at once). One statement: what is changed is what was digested. The rows are locked by a statement before
   * it: one that waits for a row misses what the other transaction has added to the selection meanwhile. This one waits for
   * nothing, so that it can't deadlock: a row that it would have to wait for makes it look again.
   */
  apply(
    selection: Selection,
    intent: Intent,
    plan: Plan | undefined,
    author: Author,
    grants: Grants,
  ): Promise<Applied> {
    return inTurn(this.line, this.pool, async (client) => {
      await client.query(forManyStates);
      const lockedBefore = await this.lock(client, selection, grants);
      const parameters = new Parameters();
      const condition = selectionCondition(selection, grants, parameters);
      const madeAt = plan ? parameters.add(toTimestamp(plan.madeAt), 'timestamp(6)') : `null::timestamp(6)`;
      const digest = plan ? parameters.add(plan.digest, 'text') : 'plan.digest';
      const authorParameters = authorValues(author).map((value, place) =>
        parameters.add(value, place === 3 ? 'uuid' : 'text'),
      );
      const text = `/* Selection.apply */
        with clock as materialized (select ${utcClock} as now),
        locked as materialized (
          select s.* from ${table} s where ${condition} order by s.id for update skip locked
        ), plan as materialized (
          select ${aggregates(selection, intent, parameters, plan ? madeAt : 'clock.now')},
            count(*) filter (where s.last_advanced_at > ${madeAt}) as advanced
          from clock left join locked s on true group by clock.now
        ), changed as (
          ${changeOf(intent, parameters)} and not plan.in_future and plan.digest = ${digest}
          returning s.*${intent.kind === 'deletion' ? '' : `, ${asItWas}`}
        ), recorded as (
          ${recordOf(intent, authorParameters)}
        ), sample as (
          select ${rowColumns('s')} from changed s order by s.identifier, s.id limit ${intent.kind === 'deletion' ? sampleSize : 0}
        )
        select plan.*, plan.digest = ${digest} and not plan.in_future as applied,
          (select count(*) from changed) as changed,
          (select ${idDigest} from ${table} s where ${condition}) as present_ids,
          array(select id from locked order by identifier, id limit ${sampleSize}) as sample_ids, sample.*
        from plan left join sample on true`;
      const { rows } = await client.query<PlanRow>({ ...patientQuery, text, values: parameters.values });
      const { applied, changed, advanced, sample_ids, present_ids } = rows[0]!;
      // By a plan, a selection that grew is refused as it is.
      if ((applied || !plan) && present_ids !== lockedBefore)
        throw new LookAgain('the selection grew while its rows were being locked');
      const planned = plannedOf(rows);
      const sample = intent.kind === 'deletion' ? planned.sample : await this.sample(client, sample_ids);
      return { ...planned, sample, applied, changed: Number(changed), advancedSincePlan: Number(advanced) };
    });
  }

  /** Which rows were locked, as a digest: a million ids need no memory here. */
  private async lock(client: PoolClient, selection: Selection, grants: Grants): Promise<string> {
    const parameters = new Parameters();
    const { rows } = await client.query<{ locked_ids: string }>({
      ...patientQuery,
      text: `/* Selection.lock */ select ${idDigest} as locked_ids from (
               select s.id from ${table} s where ${selectionCondition(selection, grants, parameters)} order by s.id for update
             ) s`,
      values: parameters.values,
    });
    return rows[0]!.locked_ids;
  }

  /** The rows as they are now: those that needed no change belong to a sample as well. */
  private async sample(client: PoolClient, ids: number[]): Promise<ScopeState[]> {
    const { rows } = await client.query<ScopeStateRow>(
      `/* Selection.sample */ select ${rowColumns('s')} from ${table} s
       where s.id = any ($1::int[]) order by s.identifier, s.id`,
      [ids],
    );
    return rows.map(toScopeState);
  }
}

function selectionCondition(selection: Selection, grants: Grants, parameters: Parameters): string {
  return narrowed(selected(selection, parameters), grants, parameters);
}

function selected(selection: Selection, parameters: Parameters): string {
  switch (selection.by) {
    case 'ids':
      return `s.id = any (${parameters.add(selection.ids, 'bigint[]')})`;
    case 'units': {
      const texts = unitParameters(selection.units).map((values) => parameters.add(values, 'text[]'));
      return `(s.identifier, s.scope_key, s.collector, s.fetcher) in (select * from unnest(${texts.join(', ')}))`;
    }
    case 'filter':
      return conditionOf(selection.filter, parameters);
    case 'all':
      return 'true';
  }
}

/** Columns of the plan over rows `s`; a left join's row without an id stands for an empty selection. */
function aggregates(selection: Selection, intent: Intent, parameters: Parameters, madeAt: string): string {
  const target = intent.kind === 'reset' ? toTimestamp(intent.lastProcessedTimestamp) : undefined;
  const purpose = target ?? (intent.kind === 'activation' ? String(intent.active) : '');
  // A live system advances all the time: only a deletion minds, for nobody could tell it afterwards.
  const mark = intent.kind === 'deletion' ? 's.version' : 's.revision';
  // Nested: a hash of id and mark side by side is one of their XOR, and ids 1 and 2 at 1 would look like both at 2.
  const hashOfRow = (columns: readonly string[], seed: number) =>
    `hashint8extended(${mark}::bigint, hashint8extended(s.id::bigint, ${hashOfTexts(columns, seed)}))`;
  // An id may come to be another unit's, by a writer that gives it away; half of the unit in each of the sums.
  const [scopeId, ...others] = ['s.identifier', 's.scope_key', 's.collector', 's.fetcher'] as const;
  const hashes = [hashOfRow([scopeId], 1), hashOfRow(others, 2)].map((hash) => `coalesce(sum(${hash}), 0)`);
  const made = micros(madeAt);
  const inFuture = target ? `${parameters.add(target, 'timestamp(6)')} > clock.now` : 'false';
  const found = {
    ids: 'array_agg(to_json(s.id::text)::text) filter (where s.id is not null)',
    units: `array_agg(json_build_array(s.identifier, s.scope_key, s.collector, s.fetcher)::text) filter (where s.id is not null)`,
    filter: 'null::text[]',
    all: 'null::text[]',
  }[selection.by];
  const digested = [parameters.add(`${intent.kind} ${purpose}`, 'text'), made, 'count(s.id)', ...hashes];
  return [
    'count(s.id) as matched',
    `encode(sha256(convert_to(concat_ws(' ', ${digested.join(', ')}), 'UTF8')), 'hex') as digest`,
    `${made} as made_micros`,
    `${inFuture} as in_future`,
    `${found} as found`,
    `${micros('clock.now')} as now_micros`,
  ].join(', ');
}

function hashOfTexts(columns: readonly string[], seed: number): string {
  return columns.reduce(
    (inner, column) => `hashtextextended(coalesce(${column}, ''), ${inner})`,
    String(seed),
  );
}

/** The change of the locked rows, up to its condition, to which more is added. */
function changeOf(intent: Intent, parameters: Parameters): string {
  const written = `version = s.version + 1, revision = s.revision + 1, updated_at = ${utcClock}`;
  const ofLocked = `from locked o, plan where s.id = o.id`;
  switch (intent.kind) {
    case 'reset': {
      const target = parameters.add(toTimestamp(intent.lastProcessedTimestamp), 'timestamp(6)');
      return `update ${table} s set last_processed_timestamp = ${target}, moved_by_operator = true, ${written} ${ofLocked}`;
    }
    case 'activation': {
      const active = parameters.add(intent.active, 'boolean');
      return `update ${table} s set active = ${active}, scope_activation_toggle_date = ${utcClock}, ${written}
              ${ofLocked} and o.active <> ${active}`;
    }
    case 'deletion':
      return `delete from ${table} s using locked, plan where s.id = locked.id`;
  }
}

function recordOf(intent: Intent, author: string[]): string {
  switch (intent.kind) {
    case 'reset':
      return record({ changed: 'changed', what: 'updated', kind: `'RESET'` }, author);
    case 'activation':
      return record(
        {
          changed: 'changed',
          what: 'updated',
          kind: intent.active ? `'ACTIVATED'` : `'DEACTIVATED'`,
        },
        author,
      );
    case 'deletion':
      return record({ changed: 'changed', what: 'deleted', kind: `'DELETED'` }, author);
  }
}

function plannedOf(rows: (PlanRow & { now_micros?: string })[]): Planned {
  const first = rows[0]!;
  return {
    matched: Number(first.matched),
    plan: { digest: first.digest, madeAt: toInstant(first.made_micros) },
    inFuture: first.in_future,
    found: first.found ?? [],
    sample: rows.filter((row) => typeof row.id === 'number').map((row) => toScopeState(row as ScopeStateRow)),
    now: toInstant(first.now_micros!),
  };
}
