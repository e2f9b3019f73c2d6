import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { randomUUID } from 'node:crypto';
import { useStateApi } from '../support/state-api.js';
import { scaled } from '../support/units.js';

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);

  const table = 'cloudkitty_storage_states';
  const query = /* GraphQL */ `
    query (
      $filter: ScopeStateFilter
      $orderBy: ScopeStateOrder
      $first: Int
      $after: String
      $last: Int
      $before: String
    ) {
      scopeStates(
        filter: $filter
        orderBy: $orderBy
        first: $first
        after: $after
        last: $last
        before: $before
      ) {
        edges {
          cursor
          node {
            id
          }
        }
        nodes {
          id
          scopeId
          lastProcessedTimestamp
        }
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
        totalCount
      }
    }
  `;

  interface Page {
    edges: { cursor: string; node: { id: string } }[];
    nodes: { id: string; scopeId: string; lastProcessedTimestamp: string }[];
    pageInfo: {
      hasNextPage: boolean;
      hasPreviousPage: boolean;
      startCursor: string | null;
      endCursor: string | null;
    };
    totalCount: number;
  }

  async function page(variables: Record<string, unknown>): Promise<Page> {
    return (await api.server.data(query, variables)).scopeStates;
  }

  const nodeId = (row: number) => Buffer.from(`ScopeState:${row}`).toString('base64url');
  const orders = ['SCOPE_ID', 'LAST_PROCESSED_TIMESTAMP'].flatMap((field) =>
    ['ASC', 'DESC'].map((direction) => ({ field, direction })),
  );
  const walks = orders.flatMap((orderBy) => [
    { ...orderBy, orderBy, way: 'forward' },
    { ...orderBy, orderBy, way: 'backward' },
  ]);

  /** All pages from one end to the other, `between` them something else happens; the ids in the order asked for. */
  async function walk(
    variables: object,
    size: number,
    way: string,
    between: (page: Page) => Promise<unknown>,
  ): Promise<{ ids: string[]; pages: number }> {
    const ids: string[] = [];
    let cursor: string | null = null;
    for (let pages = 1; ; pages++) {
      const forward = way === 'forward';
      const answer: Page = await page({
        ...variables,
        ...(forward ? { first: size, after: cursor } : { last: size, before: cursor }),
      });
      const found = answer.nodes.map(({ id }) => id);
      if (forward) ids.push(...found);
      else ids.unshift(...found);
      const { hasNextPage, hasPreviousPage, startCursor, endCursor } = answer.pageInfo;
      if (!(forward ? hasNextPage : hasPreviousPage)) return { ids, pages };
      cursor = forward ? endCursor : startCursor;
      await between(answer);
    }
  }

  /** So many ids of a new prefix, each with these collectors; '' stands for a legacy row. Many share their timestamps. */
  async function insertRows(scopes: number, collectors: string[]): Promise<string> {
    const prefix = `${randomUUID()}/`;
    await api.database.query(
      `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select $1 || (array['Ä', 'a', 'B', '😀'])[n % 4 + 1] || md5(n::text), case when c <> '' then 'project_id' end,
       nullif(c, ''), case when c <> '' then 'keystone' end, timestamp '2026-01-01' + n % 90 * interval '1 minute'
     from generate_series(1, $2::int) n, unnest($3::text[]) c order by random()`,
      [prefix, scopes, collectors],
    );
    return prefix;
  }

  interface Row {
    id: number;
    identifier: string;
    collector: string | null;
    last_processed_timestamp: string;
  }

  const rowsBy = (prefix: string, order: string): Promise<Row[]> =>
    api.database.query(
      `select id, identifier, collector, last_processed_timestamp::text from ${table} where starts_with(identifier, $1) order by ${order}`,
      [prefix],
    );

  /** The same work as a collector's: advances of so many units, and checks that take legacy rows over. */
  async function collect(prefix: string, advances: number, backfills: number): Promise<string[]> {
    const rows = await rowsBy(prefix, 'random()');
    const unitOf = ({ identifier, collector }: Row) => ({
      scopeId: identifier,
      scopeKey: 'project_id',
      collector: collector ?? 'backfilled',
      fetcher: 'keystone',
    });
    const at = '2026-01-01T02:00:00Z'; // behind all of them, and the same for all: the ids decide
    const advanced = rows
      .filter((row) => row.collector !== null && row.last_processed_timestamp < '2026-01-01 02:00:00')
      .slice(0, advances);
    const answer = await api.server.data(
      `mutation ($advances: [AdvanceScopeStateInput!]!, $units: [CollectionUnitInput!]!) {
       advanceScopeStates(input: { advances: $advances }) { results { outcome } }
       checkScopeStates(input: { units: $units }) { results { outcome } }
     }`,
      {
        advances: advanced.map((row) => ({ unit: unitOf(row), lastProcessedTimestamp: at })),
        units: rows
          .filter(({ collector }) => collector === null)
          .slice(0, backfills)
          .map(unitOf),
      },
    );
    const checked = answer.checkScopeStates.results as { outcome: string }[];
    expect(checked.every(({ outcome }) => outcome === 'BACKFILLED')).toBe(true);
    return advanced.map(({ id }) => nodeId(id));
  }

  describe('while 20 states a page are advanced and legacy states are backfilled,', () => {
    const total = scaled(1_000, 400);

    test.each(walks)('pages of 100 $way by $field $direction', async ({ field, direction, orderBy, way }) => {
      // And a legacy row for about each fourth of them.
      const prefix = await insertRows(Math.round(total * 0.8), ['gnocchi']);
      await api.database.query(
        `insert into ${table} (identifier, last_processed_timestamp)
       select identifier || '+', last_processed_timestamp from ${table} where starts_with(identifier, $1) and id % 4 = 0`,
        [prefix],
      );
      const key = field === 'SCOPE_ID' ? 'identifier' : 'last_processed_timestamp';
      const before = await rowsBy(prefix, `${key} ${direction}, id ${direction}`);
      const moved = new Set<string>();
      const { ids, pages } = await walk(
        { filter: { scopeIdPrefix: prefix }, orderBy },
        100,
        way,
        async () => {
          for (const id of await collect(prefix, 20, 5)) moved.add(id);
        },
      );
      expect(pages).toBeGreaterThan(3);
      expect(moved.size).toBeGreaterThan(50);
      const stays = (id: string) => field === 'SCOPE_ID' || !moved.has(id);
      expect(ids.filter(stays)).toEqual(before.map(({ id }) => nodeId(id)).filter(stays));
      expect(await rowsBy(prefix, 'id')).toHaveLength(before.length);
    });

    test.each(walks.filter(({ field }) => field === 'SCOPE_ID'))(
      'pages of 7 $way, $direction, of ids with a legacy row and three units each',
      async ({ direction, orderBy, way }) => {
        const prefix = await insertRows(scaled(300, 40), ['', 'gnocchi', 'monasca', 'prometheus']);
        const before = await rowsBy(prefix, `identifier ${direction}, id ${direction}`);
        const { ids } = await walk({ filter: { scopeIdPrefix: prefix }, orderBy }, 7, way, () =>
          collect(prefix, 2, 1),
        );
        expect(ids).toEqual(before.map(({ id }) => nodeId(id)));
      },
    );
  });

  test.each(orders)(
    'by $field $direction a page tells truly what is before and behind it',
    async (orderBy) => {
      const prefix = await insertRows(3, ['gnocchi', 'monasca']);
      const filter = { scopeIdPrefix: prefix };
      const whole = await page({ filter, orderBy });
      const total = 6;
      expect(whole.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false });
      expect(whole.edges.map(({ node }) => node.id)).toEqual(whole.nodes.map(({ id }) => id));
      const places = Array.from({ length: total + 2 }, (_, n) => n - 1); // -1: no `after`; 6: no `before`
      const asked = [{ first: 1 }, { first: 3 }, { last: 1 }, { last: 3 }, { last: 100 }];
      for (const after of places.slice(0, -1)) {
        const answers = places.slice(1).flatMap((before) =>
          asked.map(async (size) => {
            const cursors = { after: whole.edges[after]?.cursor, before: whole.edges[before]?.cursor };
            const { nodes, pageInfo, edges, totalCount } = await page({
              filter,
              orderBy,
              ...size,
              ...cursors,
            });
            const between = whole.nodes.slice(after + 1, Math.max(after + 1, before));
            const wanted = 'first' in size ? between.slice(0, size.first) : between.slice(-size.last);
            expect([after, before, size, nodes]).toEqual([after, before, size, wanted]);
            const isEmpty = wanted.length === 0;
            expect([after, before, size, pageInfo, totalCount]).toEqual([
              after,
              before,
              size,
              {
                hasPreviousPage: isEmpty ? after >= 0 : wanted[0]!.id !== whole.nodes[0]!.id,
                hasNextPage: isEmpty ? before < total : wanted.at(-1)!.id !== whole.nodes[total - 1]!.id,
                startCursor: edges[0]?.cursor ?? null,
                endCursor: edges.at(-1)?.cursor ?? null,
              },
              total,
            ]);
          }),
        );
        await Promise.all(answers);
      }
    },
  );

  test('the place of a cursor outlives its row; an empty page knows what is not there any more', async () => {
    const prefix = await insertRows(5, ['gnocchi']);
    const filter = { scopeIdPrefix: prefix };
    const { edges, nodes } = await page({ filter });
    const remove = (...gone: Page['nodes']) =>
      api.database.query(`delete from ${table} where identifier = any ($1)`, [
        gone.map(({ scopeId }) => scopeId),
      ]);
    await remove(nodes[2]!);
    const after = edges[2]!.cursor;
    expect(await page({ filter, after })).toMatchObject({
      nodes: nodes.slice(3),
      pageInfo: { hasPreviousPage: true },
    });
    await remove(...nodes.slice(3));
    const none = { startCursor: null, endCursor: null, hasNextPage: false };
    expect((await page({ filter, after })).pageInfo).toEqual({ ...none, hasPreviousPage: true });
    expect((await page({ filter, before: after, last: 1 })).pageInfo).toMatchObject({ hasNextPage: false });
    await remove(...nodes);
    expect((await page({ filter, after })).pageInfo).toEqual({ ...none, hasPreviousPage: false });
  });

  describe('a cursor that is not of this order', () => {
    const scopeId = { field: 'SCOPE_ID', direction: 'ASC' };
    const cases: [string, (cursor: string) => { cursor: string; orderBy?: object }][] = [
      ['empty', () => ({ cursor: '' })],
      ['made up', () => ({ cursor: 'abc' })],
      ['of parts without a digest', () => ({ cursor: btoa('["SCOPE_ID","ASC","x",1]') })],
      ['a node id', () => ({ cursor: nodeId(1) })],
      ['truncated', (cursor) => ({ cursor: cursor.slice(0, -1) })],
      ['cut in half', (cursor) => ({ cursor: cursor.slice(0, cursor.length / 2) })],
      ['prolonged', (cursor) => ({ cursor: `${cursor}A` })],
      ['padded', (cursor) => ({ cursor: `${cursor}=` })],
      [
        'changed in one place',
        (cursor) => ({
          cursor: cursor.replace(/.{9}$/, (end) => (end[0] === 'A' ? 'B' : 'A') + end.slice(1)),
        }),
      ],
      ['of the other direction', (cursor) => ({ cursor, orderBy: { ...scopeId, direction: 'DESC' } })],
      [
        'of the other field',
        (cursor) => ({ cursor, orderBy: { ...scopeId, field: 'LAST_PROCESSED_TIMESTAMP' } }),
      ],
    ];

    test.each(cases)('is refused: %s', async (_, change) => {
      await insertRows(1, ['gnocchi']);
      const { pageInfo } = await page({ first: 1, orderBy: scopeId });
      const { cursor, orderBy = scopeId } = change(pageInfo.endCursor!);
      for (const field of ['after', 'before']) {
        expect(await api.server.ask(query, { orderBy, [field]: cursor })).toMatchObject({
          errors: [{ extensions: { code: 'BAD_USER_INPUT', field } }],
        });
      }
    });
  });
});
