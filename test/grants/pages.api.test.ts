import { beforeAll, describe, expect, test } from '@jest/globals';
import { encodeCursor } from '../../src/relay/cursor.js';
import { unit } from '../support/units.js';
import { hour, useGrantedApi } from './granted-api.js';

const api = useGrantedApi();
const tenant = () => api.as({ scopeId: 'b*' });

const pageQuery = `query ($first: Int, $last: Int, $after: String, $before: String, $orderBy: ScopeStateOrder) {
  scopeStates(first: $first, last: $last, after: $after, before: $before, orderBy: $orderBy) {
    totalCount nodes { scopeId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const changesQuery = `query ($first: Int, $after: String) {
  scopeStateChanges(first: $first, after: $after) {
    nodes { scopeId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

/** Hidden ones before, between and after in every order; b1 to b3 are granted. */
const all = ['a1', 'b1', 'B2', 'b2', 'bé', 'c1', 'c2'];
const own = ['b1', 'b2', 'bé'];

beforeAll(async () => {
  for (const [n, scopeId] of all.entries()) await api.admin.advance(unit({ scopeId }), hour(n));
});

const page = async (variables: Record<string, unknown>) =>
  (await tenant().data(pageQuery, variables)).scopeStates;
const scopes = ({ nodes }: { nodes: { scopeId: string }[] }) => nodes.map(({ scopeId }) => scopeId);

describe.each(['SCOPE_ID', 'LAST_PROCESSED_TIMESTAMP'])('pages by %s', (field) => {
  test.each(['ASC', 'DESC'])('%s have only what is granted, and neighbours only of it', async (direction) => {
    const orderBy = { field, direction };
    const expected = direction === 'ASC' ? own : [...own].reverse();
    for (const way of ['after', 'before'] as const) {
      const size = way === 'after' ? { first: 2 } : { last: 2 };
      const first = await page({ orderBy, ...size });
      expect(scopes(first)).toEqual(way === 'after' ? expected.slice(0, 2) : expected.slice(1));
      expect(first.totalCount).toBe(own.length);
      const { hasNextPage, hasPreviousPage, startCursor, endCursor } = first.pageInfo;
      expect([hasNextPage, hasPreviousPage]).toEqual([way === 'after', way === 'before']);
      const second = await page({ orderBy, ...size, [way]: way === 'after' ? endCursor : startCursor });
      expect(scopes(second)).toEqual(way === 'after' ? expected.slice(2) : expected.slice(0, 1));
      expect([second.pageInfo.hasNextPage, second.pageInfo.hasPreviousPage]).toEqual([
        way === 'before',
        way === 'after',
      ]);
    }
  });
});

test('a forged cursor, wherever it points, tells only of what is granted', async () => {
  const place = (scopeId: string, id: number) => encodeCursor(['SCOPE_ID', 'ASC', scopeId, id]);
  for (const id of [0, 1, 6, 7, 1_000]) {
    const behind = await page({ after: place('c1', id) });
    expect(behind).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: true } });
    const ahead = await page({ before: place('a1', id) });
    expect(ahead).toMatchObject({ nodes: [], pageInfo: { hasNextPage: true, hasPreviousPage: false } });
  }
  const nobody = (await api.as({ scopeId: 'z*' }).data(pageQuery, { after: place('a1', 1) })).scopeStates;
  expect(nobody.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false });
});

test('pages of the history have only what is granted, and neighbours only of it', async () => {
  const changes = async (after?: string, first = 2) =>
    (await tenant().data(changesQuery, { first, after })).scopeStateChanges;
  const newest = await changes();
  expect(scopes(newest)).toEqual(['bé', 'b2']);
  expect(newest.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  const oldest = await changes(newest.pageInfo.endCursor);
  expect(scopes(oldest)).toEqual(['b1']);
  expect(oldest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  const forged = await changes(encodeCursor(['CHANGE', '1']));
  expect(forged).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: true } });
  const beyond = await changes(encodeCursor(['CHANGE', '1000000']), 3);
  expect(scopes(beyond)).toEqual(['bé', 'b2', 'b1']);
  // The change of c1 is newer than all that is granted: nothing that is seen lies at or after it.
  expect(beyond.pageInfo.hasPreviousPage).toBe(false);
});
