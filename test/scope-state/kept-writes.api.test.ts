import { expect, test } from '@jest/globals';
import { operations, useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';

const api = useStateApi(() => createTestDatabase());
const at = (hour: number) => `2026-01-01T0${hour}:00:00Z`;

test('what somebody’s trigger keeps from being written is no success, of one or of many', async () => {
  const [kept, other, legacy] = [unit(), unit(), unit()];
  for (const one of [kept, other]) await api.advance({ unit: one, lastProcessedTimestamp: at(0) });
  const client = await api.database.connect();
  await client.query(
    `insert into cloudkitty_storage_states (identifier, last_processed_timestamp) values ($1, '2026-01-01')`,
    [legacy.scopeId],
  );
  const before = await client.query('select * from cloudkitty_storage_states order by id');
  await client.query(
    `create function keep() returns trigger language plpgsql as $$ begin return null; end $$;
     create trigger keep before insert or update on cloudkitty_storage_states for each row
     when (new.identifier <> '${other.scopeId}') execute function keep()`,
  );
  const advances = [kept, other].map((one) => ({ unit: one, lastProcessedTimestamp: at(1) }));
  for (const [operation, input] of [
    [operations.advance, advances[0]],
    [operations.advanceAll, { advances }],
    [operations.advance, { unit: unit(), lastProcessedTimestamp: at(1) }],
    [operations.create, { unit: unit(), lastProcessedTimestamp: at(1) }],
    [operations.check, { unit: legacy }],
  ] as const) {
    const { data, errors } = await api.server.ask(operation, { input });
    expect([data, errors?.length]).toEqual([null, 1]);
  }
  expect((await client.query('select * from cloudkitty_storage_states order by id')).rows).toEqual(
    before.rows,
  );
  expect(await api.advance(advances[1]!)).toMatchObject({ outcome: 'ADVANCED' });
});
