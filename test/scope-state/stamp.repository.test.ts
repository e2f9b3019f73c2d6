import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromStamp, lastProcessed, stamp } from '../../src/scope-state/row.sql.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';

const times = [
  ...['0001-01-01T00:00:00.000001Z', '1684-07-28T00:00:00.000001Z', '1700-01-01T00:00:00.000001Z'],
  ...['1969-12-31T23:59:59.999999Z', '1970-01-01T00:00:00Z', '1999-12-31T23:59:59.999999Z'],
  ...['2000-01-01T00:00:00Z', '2000-01-01T00:00:00.000001Z', '2026-11-27T06:00:00.123456Z'],
  ...['2255-06-05T23:47:34.740993Z', '2285-06-05T23:47:34.740993Z', '9999-12-31T23:59:59.999999Z'],
];

describe.each(postgresMajors)('a time comes back from PostgreSQL %i as it was stored:', (major) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ major });
  });
  afterAll(() => database.drop());

  test.each(times)('%s', async (time) => {
    const [row] = await database.query<{ stamp: string }>(`select ${stamp(`$1::timestamp(6)`)} as stamp`, [
      time.slice(0, -1),
    ]);
    expect(String(fromStamp(row!.stamp))).toBe(time);
  });

  test.each(['1600-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2300-01-01T00:00:00Z', '9999-12-31T23:59:00Z'])(
    'a start of a period that is remembered, and whatever is near it: %s',
    async (start) => {
      const [at, ...near] = [0, 0, 1, -1, 16, -16].map((microseconds) =>
        Temporal.Instant.from(start).add({ microseconds }),
      );
      for (const instant of [at!, ...near]) {
        const [row] = await database.query<{ stamp: string }>(
          `select ${stamp(`$1::timestamp(6)`)} as stamp`,
          [String(instant).slice(0, -1)],
        );
        expect(String(lastProcessed(row!.stamp))).toBe(String(instant));
      }
    },
  );

  test.each([
    ['infinity', '9999-12-31T23:59:59.999999Z'],
    ['294276-12-31 23:59:59.999999', '9999-12-31T23:59:59.999999Z'],
    ['0001-12-31 23:59:59 BC', '0001-01-01T00:00:00Z'],
    ['-infinity', '0001-01-01T00:00:00Z'],
  ])('%s can’t be answered: %s is', async (stored, answered) => {
    const [row] = await database.query<{ stamp: string }>(`select ${stamp(`$1::timestamp(6)`)} as stamp`, [
      stored,
    ]);
    expect(String(fromStamp(row!.stamp))).toBe(answered);
  });
});
