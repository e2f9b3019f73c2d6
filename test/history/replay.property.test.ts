import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { changeKinds } from '../../src/history/change.rules.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { scaled } from '../support/units.js';

const table = 'cloudkitty_storage_states';
const propertyMillis = 300_000;

/** What the API shows of a row; what it doesn't, no entry keeps. */
const shown = `id, identifier, scope_key, collector, fetcher, last_processed_timestamp::text, active,
  scope_activation_toggle_date::text, last_advanced_at::text, version, updated_at::text`;

const kinds = [
  'advance',
  'check',
  'create',
  'reset',
  'activate',
  'rekey',
  'delete',
  'undo',
  'foreign insert',
  'foreign update',
  'foreign rekey',
  'foreign delete',
] as const;

const unitColumns = ['identifier', 'scope_key', 'collector', 'fetcher'];
/** Of an entry, the state after it and before it: what an undo gives back. */
const after = `jsonb_build_array(${unitColumns.join(', ')}, last_processed_timestamp, active)`;
const before = `jsonb_build_array(
  ${unitColumns.map((column) => `case when old_identifier is null then ${column} else old_${column} end`).join(', ')},
  old_last_processed_timestamp, coalesce(old_active, active))`;

/** Few scopes, so that they meet; and undos of undone deletions are rare enough. */
const step = fc.record({
  kind: fc.constantFrom(...kinds, 'delete', 'undo', 'undo', 'undo'),
  scope: fc.constantFrom('a', 'b', 'c'),
  collector: fc.constantFrom('gnocchi', 'monasca'),
  day: fc.integer({ min: 1, max: 9 }),
  flag: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const unitOf = ({ scope, collector }: Step) => ({
  scopeId: scope,
  scopeKey: 'project_id',
  collector,
  fetcher: 'keystone',
});
const at = ({ day }: Step) => `2026-01-0${day}T00:00:00Z`;

/** Three callers and a foreign writer, each with its own steps, all at once: what they did can be read in the history. */
test(
  'folding the history gives the table, row for row',
  async () => {
    const database = await createTestDatabase();
    const server = await startServer({ DATABASE_URL: database.url });
    try {
      await eachKindOnce(server, database);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(step, { maxLength: 12 }), { minLength: 3, maxLength: 3 }),
          async (callers) => {
            await Promise.all(
              callers.map(async (steps) => {
                for (const one of steps) await take(one, server, database);
              }),
            );
            const rows = await database.query(`select ${shown} from ${table} order by id`);
            expect(await folded(database)).toEqual(rows);
            expect(await undoneOtherwise(database)).toEqual([]);
          },
        ),
        { numRuns: scaled(200, 20), endOnFailure: true },
      );
    } finally {
      await server.stop();
      await database.drop();
    }
  },
  propertyMillis,
);

/** So that no kind is left to chance. */
async function eachKindOnce(server: TestServer, database: TestDatabase): Promise<void> {
  const steps: [Step['kind'], Partial<Step>][] = [
    ['foreign insert', { flag: false }],
    ['check', {}],
    ['advance', { day: 2 }],
    ['create', { collector: 'monasca' }],
    ['activate', { flag: false }],
    ['activate', { flag: true }],
    ['reset', {}],
    ['undo', {}],
    ['rekey', { collector: 'monasca' }],
    ['delete', {}],
  ];
  for (const [kind, more] of steps) {
    await take({ kind, scope: 'a', collector: 'gnocchi', day: 1, flag: true, ...more }, server, database);
  }
  const seen = await database.query<{ kind: string }>('select distinct kind from scopestate_history');
  const wanted = changeKinds.filter((kind) => kind !== 'IMPORTED'); // by a command, not over the API
  expect(seen.map(({ kind }) => kind).sort()).toEqual(wanted.sort());
}

/** In memory, entry by entry, knowing nothing of how they were written. */
async function folded(database: TestDatabase): Promise<unknown[]> {
  const entries = await database.query<Record<string, any>>(
    `select sequence, state_id as id, identifier, scope_key, collector, fetcher, last_processed_timestamp::text, active,
       scope_activation_toggle_date::text, last_advanced_at::text, version, old_version,
       recorded_at::text as updated_at from scopestate_history order by sequence`,
  );
  const states = new Map<number, Record<string, unknown>>();
  for (const { sequence, old_version, ...row } of entries) {
    // Each entry begins where the last one of its state has ended.
    expect({ sequence, before: states.get(row['id'])?.['version'] ?? null }).toEqual({
      sequence,
      before: old_version,
    });
    if (row['version'] === null) states.delete(row['id']);
    else states.set(row['id'], row);
  }
  return [...states.values()].sort((one, other) => Number(one['id']) - Number(other['id']));
}

/** Undos that gave a state something else than what it was before its last change. */
function undoneOtherwise(database: TestDatabase): Promise<unknown[]> {
  return database.query(
    `select sequence, after, wanted from (
       select sequence, kind, ${after} as after, lag(${before}) over (partition by state_id order by sequence) as wanted
       from scopestate_history
     ) entry where kind = 'UNDONE' and after is distinct from wanted`,
  );
}

async function take(one: Step, server: TestServer, database: TestDatabase): Promise<void> {
  const unit = unitOf(one);
  const lastProcessedTimestamp = at(one);
  const reason = 'a step';
  const { scope, flag } = one;
  switch (one.kind) {
    case 'advance':
      await mutate(server, 'advanceScopeState', { unit, lastProcessedTimestamp });
      return;
    case 'check':
      await mutate(server, 'checkScopeState', { unit });
      return;
    case 'create':
      await mutate(server, 'createScopeState', { unit, lastProcessedTimestamp, active: flag });
      return;
    case 'reset':
      return planned(server, 'resetScopeStates', {
        select: { filter: { scopeIds: [scope] } },
        lastProcessedTimestamp,
        reason,
      });
    case 'activate':
      await mutate(server, 'setScopeActivation', { select: { units: [unit] }, active: flag, reason });
      return;
    case 'delete':
      return planned(server, 'deleteScopeStates', { select: { filter: { scopeIds: [scope] } }, reason });
    case 'rekey': {
      const id = await idOf(server, unit);
      if (id) await mutate(server, 'rekeyScopeState', { id, unit: { ...unit, scopeId: 'b' }, reason });
      return;
    }
    case 'undo': {
      const changeId = await undoable(server, scope, one.day);
      if (changeId) await planned(server, 'undoScopeStateChange', { changeId, reason });
      return;
    }
    case 'foreign insert':
      await database.query(
        `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
         values ($1, $2, $3, $4, $5::text::timestamp) on conflict do nothing`,
        flag
          ? [scope, unit.scopeKey, unit.collector, unit.fetcher, '2026-01-01']
          : [scope, null, null, null, '2026-01-01'],
      );
      return;
    case 'foreign update':
      await database.query(
        `update ${table} set last_processed_timestamp = $2::text::timestamp, active = $3 where identifier = $1`,
        [scope, `2026-01-0${one.day}`, flag],
      );
      return;
    case 'foreign rekey':
      await database
        .query(
          `update ${table} s set collector = 'foreign' where identifier = $1 and collector = 'gnocchi'
           and not exists (select from ${table} t where t.identifier = $1 and t.collector = 'foreign')`,
          [scope],
        )
        .catch(unlessTaken);
      return;
    case 'foreign delete':
      await database.query(`delete from ${table} where identifier = $1 and collector = $2`, [
        scope,
        unit.collector,
      ]);
      return;
  }
}

/** Two foreign writers may want the same unit: the second one fails, and leaves nothing behind. */
function unlessTaken(error: unknown): void {
  if ((error as { code?: string }).code !== '23505') throw error;
}

const inputTypes: Record<string, string> = {
  advanceScopeState: 'AdvanceScopeStateInput',
  checkScopeState: 'CheckScopeStateInput',
  createScopeState: 'CreateScopeStateInput',
  resetScopeStates: 'ResetScopeStatesInput',
  setScopeActivation: 'SetScopeActivationInput',
  deleteScopeStates: 'DeleteScopeStatesInput',
  rekeyScopeState: 'RekeyScopeStateInput',
  undoScopeStateChange: 'UndoScopeStateChangeInput',
};

async function mutate(server: TestServer, field: string, input: object, more = ''): Promise<any> {
  const data = await server.data(
    `mutation ($input: ${inputTypes[field]}!) { result: ${field}(input: $input) { outcome ${more} } }`,
    { input },
  );
  return data.result;
}

/** Whether it is applied or has become stale is up to the others. */
async function planned(server: TestServer, field: string, input: object): Promise<void> {
  const { planToken } = await mutate(server, field, input, 'planToken');
  await mutate(server, field, { ...input, planToken });
}

async function idOf(server: TestServer, unit: object): Promise<string | undefined> {
  const data = await server.data('query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { id } }', {
    unit,
  });
  return data.scopeState?.id;
}

/** One of the last few, so that some have been undone already, or something has come after them. */
async function undoable(server: TestServer, scope: string, place: number): Promise<string | undefined> {
  const data = await server.data(
    `query ($filter: ScopeStateChangeFilter!) { scopeStateChanges(filter: $filter, first: 4) { nodes { id } } }`,
    {
      filter: {
        scopeIds: [scope],
        kinds: ['RESET', 'DELETED', 'ACTIVATED', 'DEACTIVATED', 'REKEYED'],
      },
    },
  );
  const nodes: { id: string }[] = data.scopeStateChanges.nodes;
  return nodes[place % Math.max(nodes.length, 1)]?.id;
}
