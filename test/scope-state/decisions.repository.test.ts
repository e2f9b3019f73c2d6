import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { CollectionUnit } from '../../src/collection-unit/collection-unit.rules.js';
import { openDatabase, type Database } from '../../src/database/database.js';
import { OutcomeUnknown } from '../../src/fault.js';
import { createLog } from '../../src/log.js';
import { GroupedDecisions } from '../../src/scope-state/decisions.repository.js';
import { LockedStatesRepository, type Item } from '../../src/scope-state/locked-states.repository.js';
import { GroupedLookUps } from '../../src/scope-state/look-ups.repository.js';
import { PlainAdvancesRepository } from '../../src/scope-state/plain-advances.repository.js';
import { ScopeStateEntity } from '../../src/scope-state/scope-state.entity.js';
import { ScopeStateRepository } from '../../src/scope-state/scope-state.repository.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';

/** Notes the transactions. */
class Watched extends LockedStatesRepository {
  readonly seen: { items: number; patient: boolean }[] = [];

  override decideEach: LockedStatesRepository['decideEach'] = (items, how) => {
    this.seen.push({ items: items.length, ...how });
    return super.decideEach(items, how);
  };
}

const open = (url: string) =>
  openDatabase({
    url,
    entities: [ScopeStateEntity],
    migrationsFolder: join(process.cwd(), 'dist/migrations'),
    log: createLog('silent'),
  });

describe.each(postgresMajors)('on PostgreSQL %i', (major) => {
  let database: TestDatabase;
  let opened: Database;
  let other: Client;
  let states: Watched;
  let decisions: GroupedDecisions;

  beforeAll(async () => {
    database = await createTestDatabase({ major });
    opened = await open(database.url);
    other = await database.connect();
  });

  beforeEach(() => {
    states = new Watched(opened.pool);
    decisions = new GroupedDecisions(states, new PlainAdvancesRepository(opened.pool));
  });

  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  const instant = (minute: number) => Temporal.Instant.from('2026-01-01T00:00:00Z').add({ minutes: minute });

  async function insert(asked: Partial<CollectionUnit>, version = 1): Promise<number> {
    const { scopeId, scopeKey = null, collector = null, fetcher = null } = asked;
    const { rows } = await other.query<{ id: number }>(
      `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp, version)
       values ($1, $2, $3, $4, '2026-01-01', $5) returning id`,
      [scopeId, scopeKey, collector, fetcher, version],
    );
    return rows[0]!.id;
  }

  const advancing = (asked: CollectionUnit, minute: number, requestId = 'a request'): Item => ({
    unit: asked,
    caller: { caller: 'a test', requestId },
    decide: (locked) =>
      locked.advance({ unit: asked, lastProcessedTimestamp: instant(minute), expected: undefined }),
  });

  const checking = (asked: CollectionUnit): Item => ({
    unit: asked,
    caller: { caller: 'a test', requestId: 'a request' },
    decide: (locked) => locked.check(asked),
  });

  const outcomeOf = async (item: Item) =>
    ((await decisions.decide(item)).result as unknown as { outcome: string }).outcome;

  /** All at once: they go together. */
  const outcomesOf = (items: Item[]) => Promise.allSettled(items.map(outcomeOf));
  const told = (settled: PromiseSettledResult<string>[]) =>
    settled.map((one) => (one.status === 'fulfilled' ? one.value : `failed: ${String(one.reason)}`));

  const held = async (id: number, work: () => Promise<void>) => {
    await other.query('begin');
    await other.query('select from cloudkitty_storage_states where id = $1 for update', [id]);
    await work();
    await other.query('commit');
  };

  test('those that come together share a transaction; each has his own outcome, request and entry', async () => {
    const units = Array.from({ length: 20 }, () => unit());
    for (const one of units.slice(0, 15)) await insert(one);
    const items = units.map((one, place) => advancing(one, place % 5, `request ${place}`));
    expect(told(await outcomesOf(items))).toEqual(
      units.map((_, place) => (place >= 15 ? 'CREATED' : place % 5 === 0 ? 'UNCHANGED' : 'ADVANCED')),
    );
    expect(states.seen.length).toBeLessThan(5);
    const entries = await database.query<{ identifier: string; request_id: string }>(
      `select identifier, request_id from scopestate_history where identifier = any ($1) and kind in ('CREATED', 'ADVANCED')
         and actor = 'a test'`,
      [units.map(({ scopeId }) => scopeId)],
    );
    const changed = units.flatMap(({ scopeId }, place) =>
      place < 15 && place % 5 === 0 ? [] : [{ identifier: scopeId, request_id: `request ${place}` }],
    );
    expect(new Set(entries.map((entry) => JSON.stringify(entry)))).toEqual(
      new Set(changed.map((entry) => JSON.stringify(entry))),
    );
  });

  test('items of one scope id act in the order in which they came, each change with an entry of its own', async () => {
    const [one, another] = [unit(), unit()];
    await insert(one);
    const minutes = [5, 3, 8, 8, 1, 9];
    const outcomes = outcomesOf([
      advancing(another, 1),
      ...minutes.map((minute) => advancing(one, minute, `to ${minute}`)),
    ]);
    expect(told(await outcomes)).toEqual([
      'CREATED',
      'ADVANCED',
      'REGRESSION',
      'ADVANCED',
      'UNCHANGED',
      'REGRESSION',
      'ADVANCED',
    ]);
    const entries = await database.query(
      `select request_id, version from scopestate_history where identifier = $1 and actor = 'a test' order by sequence`,
      [one.scopeId],
    );
    expect(entries).toEqual([
      { request_id: 'to 5', version: 2 },
      { request_id: 'to 8', version: 3 },
      { request_id: 'to 9', version: 4 },
    ]);
  });

  test('a value that the database refuses fails for its own caller only', async () => {
    const units = Array.from({ length: 9 }, () => unit());
    await other.query(`set scopestate.records_history = 'on'`); // another writer's version would be settled
    for (const [place, one] of units.entries()) await insert(one, place === 6 ? 2 ** 31 - 1 : 1);
    await other.query('reset scopestate.records_history');
    const outcomes = told(await outcomesOf(units.map((one) => advancing(one, 1))));
    expect(outcomes[6]).toMatch('failed: error: value "2147483648" is out of range for type integer');
    expect(outcomes.toSpliced(6, 1)).toEqual(Array.from({ length: 8 }, () => 'ADVANCED'));
  });

  test('a decision that throws fails for its own caller only', async () => {
    const units = Array.from({ length: 5 }, () => unit());
    const items = units.map((one, place) =>
      place === 3
        ? {
            ...checking(one),
            decide: () => {
              throw new RangeError('undecided');
            },
          }
        : advancing(one, 1),
    );
    expect(told(await outcomesOf(items))).toEqual([
      'CREATED',
      'CREATED',
      'CREATED',
      'failed: RangeError: undecided',
      'CREATED',
    ]);
  });

  test('a row that somebody else has locked keeps its own callers waiting, and nobody else', async () => {
    const [locked, ...free] = Array.from({ length: 30 }, () => unit()) as [
      CollectionUnit,
      ...CollectionUnit[],
    ];
    const id = await insert(locked);
    for (const one of free) await insert(one);
    let waiting: Promise<PromiseSettledResult<string>[]>;
    await held(id, async () => {
      waiting = outcomesOf(Array.from({ length: 40 }, (_, place) => advancing(locked, place + 1)));
      for (let round = 1; round <= 3; round++) {
        const outcomes = told(await outcomesOf(free.map((one) => advancing(one, round))));
        expect(outcomes).toEqual(free.map(() => 'ADVANCED'));
      }
      expect(states.seen.filter(({ patient }) => patient)).toHaveLength(1);
    });
    expect(told(await waiting!)).toEqual(Array.from({ length: 40 }, () => 'ADVANCED'));
  });

  test('a legacy row that is locked is never told as none: the claim waits for it', async () => {
    const [claimed, bystander] = [unit(), unit()];
    const id = await insert({ scopeId: claimed.scopeId });
    let waiting: Promise<string>;
    await held(id, async () => {
      waiting = outcomeOf(checking(claimed));
      expect(await outcomeOf(checking(bystander))).toBe('UNKNOWN');
    });
    expect(await waiting!).toBe('BACKFILLED');
  });

  test('a unit that somebody else is inserting keeps nobody else waiting', async () => {
    const [first, inserted, ...free] = Array.from({ length: 10 }, () => unit());
    await other.query('begin');
    await insert(inserted!);
    const waiting = outcomeOf(advancing(inserted!, 1));
    const outcomes = told(await outcomesOf([first!, ...free].map((one) => advancing(one, 1))));
    expect(outcomes).toEqual([first, ...free].map(() => 'CREATED'));
    await other.query('commit');
    expect(await waiting).toBe('ADVANCED');
  });

  test('a statement that is cancelled is done again for all but who is alone with it', async () => {
    const units = Array.from({ length: 6 }, () => unit());
    for (const one of units) await insert(one);
    await other.query(`
      create function cancel() returns trigger language plpgsql as $$
      begin
        raise exception using errcode = '57014', message = 'cancelled';
      end $$`);
    const trigger = `create trigger cancel before update on cloudkitty_storage_states for each row
      when (old.identifier = '${units[2]!.scopeId}') execute function cancel()`;
    await other.query(trigger);
    const outcomes = told(await outcomesOf(units.map((one) => advancing(one, 1))));
    await other.query('drop trigger cancel on cloudkitty_storage_states; drop function cancel()');
    expect(outcomes[2]).toMatch('failed: Unavailable');
    expect(outcomes.toSpliced(2, 1)).toEqual(Array.from({ length: 5 }, () => 'ADVANCED'));
  });

  test('a COMMIT that was lost is unknown to all who shared it, and nobody’s is done again', async () => {
    const units = Array.from({ length: 5 }, () => unit());
    let together = 0;
    class Broken extends LockedStatesRepository {
      override decideEach: LockedStatesRepository['decideEach'] = async (items, how) => {
        await super.decideEach(items, how);
        together++;
        throw new OutcomeUnknown('the connection broke');
      };
    }
    decisions = new GroupedDecisions(new Broken(opened.pool), new PlainAdvancesRepository(opened.pool));
    expect(told(await outcomesOf(units.map((one) => advancing(one, 1))))).toEqual(
      units.map(() => 'failed: OutcomeUnknown: the connection broke'),
    );
    expect(together).toBe(1);
  });

  test('look-ups that come together share a statement, and each gets its own row', async () => {
    const units = Array.from({ length: 10 }, () => unit());
    for (const one of units.slice(5)) await insert(one);
    await insert({ scopeId: units[0]!.scopeId });
    const asked: number[] = [];
    class Noting extends ScopeStateRepository {
      override findEach(all: readonly CollectionUnit[]) {
        asked.push(all.length);
        return super.findEach(all);
      }
    }
    const lookUps = new GroupedLookUps(new Noting(opened.pool));
    const seen = await Promise.all(units.map((one) => lookUps.find(one)));
    expect(seen.map(({ state }) => state?.scopeId)).toEqual(
      units.map(({ scopeId }, place) => (place === 0 || place >= 5 ? scopeId : undefined)),
    );
    expect(asked).toEqual([10]);
  });

  test('advances leave no index entry behind: their updates are HOT', async () => {
    const hot = await createTestDatabase({ major });
    const opening = await open(hot.url);
    const units = Array.from({ length: 300 }, () => unit());
    await hot.query(
      `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       select id, 'project_id', 'gnocchi', 'keystone', '2026-01-01' from unnest($1::text[]) id`,
      [units.map(({ scopeId }) => scopeId)],
    );
    const locked = new LockedStatesRepository(opening.pool);
    const grouped = new GroupedDecisions(locked, new PlainAdvancesRepository(opening.pool));
    // One in five: they fit into the room that each page was left, whatever is cleared away meanwhile.
    const some = units.filter((_, place) => place % 5 === 0).map((one) => advancing(one, 1));
    await Promise.all(some.map((item) => grouped.decide(item)));
    await opening.close(); // a session that ends gives its counts away
    const counts = `select n_tup_upd::int as updated, n_tup_hot_upd::int as hot from pg_stat_user_tables
      where relname = 'cloudkitty_storage_states'`;
    let seen = { updated: 0, hot: 0 };
    while (seen.updated < some.length) [seen] = (await hot.query<typeof seen>(counts)) as [typeof seen];
    await hot.drop();
    expect(seen).toEqual({ updated: some.length, hot: some.length });
  });
});
