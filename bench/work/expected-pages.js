import { filtered } from '../data/units.js';
import * as graphql from './graphql-dialect.js';
import { pageSize } from './operations.js';
import * as postgraphile from './postgraphile-dialect.js';

/** What the pages have to hold, by the database itself. */
export async function expectedPages(client) {
  const page = async (condition, values, direction = 'asc') => {
    const { rows } = await client.query(
      `select identifier, id from cloudkitty_storage_states where ${condition}
       order by identifier ${direction}, id ${direction} limit ${pageSize + 1}`,
      values,
    );
    return rows;
  };
  const first = (rows) => ({
    scopeIds: rows.slice(0, pageSize).map(({ identifier }) => identifier),
    hasNextPage: rows.length > pageSize,
  });
  const last = (await page('true', [], 'desc')).reverse();
  const [before, ...states] = last;
  return {
    pages: {
      page: first(await page('true', [])),
      filtered: first(await page('collector = $1 and active = $2', [filtered.collector, filtered.active])),
      deep: { scopeIds: states.map(({ identifier }) => identifier), hasNextPage: false },
    },
    beforeLast: JSON.stringify([before.identifier, before.id]),
  };
}

/** The cursor that the last page comes after: servers with cursors of their own are asked. */
export async function deepCursorOf({ dialect, ownCursors, port, token }, beforeLast) {
  const query = ownCursors && { graphql, postgraphile }[dialect].lastCursorQuery(pageSize);
  if (!query) return beforeLast;
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(`${dialect}: ${JSON.stringify(errors)}`);
  return data.scopeStates.edges[0].cursor;
}
