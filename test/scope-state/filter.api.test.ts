import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { createHash, randomUUID } from 'node:crypto';
import type { TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';

let database: TestDatabase;
let server: TestServer;

describe.each(apiDatabases)('on $name', ({ create }) => {
  beforeAll(async () => {
    database = await create();
    server = await startServer({ DATABASE_URL: database.url });
    await database.query(
      `insert into ${table}
       (identifier, scope_key, collector, fetcher, last_processed_timestamp, active)
     values
       ('a', 'project_id', 'gnocchi', 'keystone', '2026-01-01', true),
       ('a', 'project_id', 'monasca', 'keystone', '2026-01-02', false),
       ('b', 'namespace', 'prometheus', 'prometheus', '2026-01-03', true),
       ('b', null, null, null, '2026-01-04', true),
       ('B', 'project_id', null, null, '2026-01-05 00:00:00.000001', false),
       ('ab', null, null, 'source', '2026-01-06', true),
       ('%', 'namespace', 'gnocchi', 'source', '2026-01-07', true),
       ('a_b%', 'namespace', 'gnocchi', 'keystone', '2026-01-08', true),
       ('a\\_', 'namespace', 'gnocchi', 'keystone', '2026-01-09', true)`,
    );
  });

  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  const table = 'cloudkitty_storage_states';
  const query = /* GraphQL */ `
    query ($filter: ScopeStateFilter, $first: Int) {
      scopeStates(filter: $filter, first: $first, orderBy: { field: LAST_PROCESSED_TIMESTAMP }) {
        nodes {
          lastProcessedTimestamp
        }
        totalCount
      }
    }
  `;

  /** The days of January that the rows were at, which tell them apart. */
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const without = (...days: number[]) => all.filter((day) => !days.includes(day));

  test.each<[string, object | null | undefined, number[]]>([
    ['no filter', undefined, all],
    ['null', null, all],
    ['no field', {}, all],
    ['a scope id, its case told apart', { scopeIds: ['b'] }, [3, 4]],
    ['one of two scope ids', { scopeIds: ['B', 'ab'] }, [5, 6]],
    ['scope ids are no patterns', { scopeIds: ['%', 'a_'] }, [7]],
    ['scope keys', { scopeKeys: ['namespace'] }, [3, 7, 8, 9]],
    ['scope keys, ORed', { scopeKeys: ['namespace', 'project_id', 'none'] }, [1, 2, 3, 5, 7, 8, 9]],
    ['collectors', { collectors: ['monasca', 'prometheus'] }, [2, 3]],
    ['fetchers', { fetchers: ['source'] }, [6, 7]],
    ['a prefix', { scopeIdPrefix: 'a' }, [1, 2, 6, 8, 9]],
    ['a prefix of %', { scopeIdPrefix: '%' }, [7]],
    ['a prefix with _', { scopeIdPrefix: 'a_' }, [8]],
    ['a prefix with a backslash', { scopeIdPrefix: 'a\\' }, [9]],
    ['a prefix that is a whole id', { scopeIdPrefix: 'ab' }, [6]],
    ['active', { active: true }, without(2, 5)],
    ['inactive', { active: false }, [2, 5]],
    ['legacy: all three are empty', { legacy: true }, [4]],
    ['not legacy: partly filled ones too', { legacy: false }, without(4)],
    ['before an instant, without it', { processedBefore: '2026-01-03T00:00:00Z' }, [1, 2]],
    ['since an instant, and at it', { processedSince: '2026-01-07T00:00:00Z' }, [7, 8, 9]],
    ['before, to the microsecond', { processedBefore: '2026-01-05T00:00:00.000001Z' }, [1, 2, 3, 4]],
    ['since, to the microsecond', { processedSince: '2026-01-05T00:00:00.000002Z' }, [6, 7, 8, 9]],
    [
      'between, in other zones',
      { processedSince: '2026-01-02T01:00:00+01:00', processedBefore: '2026-01-03T23:00:00-01:00' },
      [2, 3],
    ],
    ['an empty list of scope ids', { scopeIds: [] }, []],
    ['an empty list of collectors, beside others', { scopeIds: ['a'], collectors: [] }, []],
    ['fields are ANDed', { collectors: ['gnocchi'], fetchers: ['keystone'], scopeIdPrefix: 'a' }, [1, 8, 9]],
    ['all of them', { scopeIds: ['a'], scopeKeys: ['project_id'], active: true, legacy: false }, [1]],
    ['nulls do not filter', { scopeIds: null, active: null, legacy: null, fetchers: ['source'] }, [6, 7]],
    ['nothing fits', { scopeIds: ['none'] }, []],
  ])('%s', async (_, filter, days) => {
    const { scopeStates } = await server.data(query, filter === undefined ? {} : { filter });
    const nodes = scopeStates.nodes as { lastProcessedTimestamp: string }[];
    const found = nodes.map(({ lastProcessedTimestamp }) => Number(lastProcessedTimestamp.slice(8, 10)));
    expect({ days: found, totalCount: scopeStates.totalCount }).toEqual({ days, totalCount: days.length });
    // The count is of all pages.
    const { scopeStates: one } = await server.data(query, { first: 1, ...(filter && { filter }) });
    expect(one).toMatchObject({ nodes: nodes.slice(0, 1), totalCount: days.length });
  });

  test.each([
    ['scopeIds[1]', { scopeIds: ['a', ''] }],
    ['scopeIds', { scopeIds: Array<string>(1_001).fill('a') }],
    ['scopeKeys[0]', { scopeKeys: ['x'.repeat(41)] }],
    ['collectors[0]', { collectors: ['\0'] }],
    ['fetchers[0]', { fetchers: ['\ud800'] }],
    ['scopeIdPrefix', { scopeIdPrefix: '' }],
    ['scopeIdPrefix', { scopeIdPrefix: 'x'.repeat(257) }],
  ])('a filter that can match nothing stored is refused, naming %s', async (field, filter) => {
    expect(await server.ask(query, { filter })).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT', field: `filter.${field}` } }],
    });
  });

  const nodeQuery = /* GraphQL */ `
    query ($id: ID!) {
      node(id: $id) {
        id
        ... on ScopeState {
          scopeId
          collector
          lastProcessedTimestamp
          version
        }
      }
    }
  `;

  test('a state is found again by its id, also after it was backfilled, and not once it is deleted', async () => {
    const scopeId = randomUUID();
    await database.query(
      `insert into ${table} (identifier, last_processed_timestamp) values ($1, '2025-12-01')`,
      [scopeId],
    );
    const {
      scopeStates: { nodes },
    } = await server.data(
      `query ($scopeId: String!) {
       scopeStates(filter: { scopeIds: [$scopeId] }) { nodes { id scopeId collector lastProcessedTimestamp version } }
     }`,
      { scopeId },
    );
    const { id } = nodes[0];
    expect((await server.data(nodeQuery, { id })).node).toEqual(nodes[0]);
    await server.data(
      `mutation ($scopeId: String!) {
       checkScopeState(
         input: { unit: { scopeId: $scopeId, scopeKey: "project_id", collector: "gnocchi", fetcher: "keystone" } }
       ) { outcome }
     }`,
      { scopeId },
    );
    expect((await server.data(nodeQuery, { id })).node).toEqual({
      ...nodes[0],
      collector: 'gnocchi',
      version: 2,
    });
    await database.query(`delete from ${table} where identifier = $1`, [scopeId]);
    expect(await server.data(nodeQuery, { id })).toEqual({ node: null });
  });

  const encoded = (text: string) => Buffer.from(text).toString('base64url');

  test.each([
    ['that no row ever had', encoded('ScopeState:2000000000')],
    ['beyond the numbers of rows', encoded(`ScopeState:${'9'.repeat(18)}`)],
  ])('an id %s is answered with null', async (_, id) => {
    expect(await server.data(nodeQuery, { id })).toEqual({ node: null });
  });

  test.each([
    ['empty', ''],
    ['a number', '1'],
    ['of another type', encoded('User:1')],
    ['of no number', encoded('ScopeState:one')],
    ['of zero', encoded('ScopeState:0')],
    ['negative', encoded('ScopeState:-1')],
    ['with a leading zero', encoded('ScopeState:01')],
    ['too long a number', encoded(`ScopeState:${'9'.repeat(19)}`)],
    ['padded', `${encoded('ScopeState:12')}=`],
    ['with a blank', ` ${encoded('ScopeState:1')}`],
    ['with NUL', encoded('ScopeState:1\0')],
  ])('a malformed id is refused: %s', async (_, id) => {
    expect(await server.ask(nodeQuery, { id })).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT', field: 'id' } }],
    });
  });

  function forgedCursor(parts: unknown): string {
    const payload = JSON.stringify(parts);
    return encoded(createHash('sha256').update(`cursor ${payload}`).digest('hex').slice(0, 16) + payload);
  }

  test.each([
    ['SCOPE_ID', ['SCOPE_ID', 'ASC', 'a\0', 1]],
    ['LAST_PROCESSED_TIMESTAMP', ['LAST_PROCESSED_TIMESTAMP', 'ASC', 'x', 1]],
    ['LAST_PROCESSED_TIMESTAMP', ['LAST_PROCESSED_TIMESTAMP', 'ASC', '9'.repeat(30), 1]],
    ['LAST_PROCESSED_TIMESTAMP', ['LAST_PROCESSED_TIMESTAMP', 'ASC', '1', 1e20]],
    ['LAST_PROCESSED_TIMESTAMP', ['LAST_PROCESSED_TIMESTAMP', 'ASC', '1', 1.5]],
    ['SCOPE_ID', { 0: 'SCOPE_ID' }],
    ['SCOPE_ID', null],
  ])('a cursor of %s that is forged with the right digest is refused: %j', async (field, parts) => {
    const ordered = /* GraphQL */ `
      query ($after: String, $field: ScopeStateOrderField!) {
        scopeStates(after: $after, orderBy: { field: $field }) {
          totalCount
        }
      }
    `;
    expect(await server.ask(ordered, { after: forgedCursor(parts), field })).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT', field: 'after' } }],
    });
  });
});
