import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { StateApi, useStateApi } from '../support/state-api.js';
import { startServer } from '../support/test-server.js';
import { unit } from '../support/units.js';

const hour = 3_600_000_000n;
const day = 24n * hour;

const schedules = [
  { name: 'the defaults', settings: {}, period: hour, waitPeriods: 2n },
  {
    name: 'minutes, rated at once',
    settings: { SCOPESTATE_PERIOD: 'PT1M', SCOPESTATE_WAIT_PERIODS: '0' },
    period: hour / 60n,
    waitPeriods: 0n,
  },
  {
    name: 'odd periods',
    settings: { SCOPESTATE_PERIOD: 'PT1H0.000007S', SCOPESTATE_WAIT_PERIODS: '1' },
    period: hour + 7n,
    waitPeriods: 1n,
  },
  {
    name: 'months, late',
    settings: { SCOPESTATE_PERIOD: 'P31D', SCOPESTATE_WAIT_PERIODS: '13' },
    period: 31n * day,
    waitPeriods: 13n,
  },
];

const dueFields = 'lastProcessedTimestamp active coveredUntil lag duePeriods nextPeriod { start end }';
const query = `query ($filter: ScopeStateFilter) { scopeStates(filter: $filter, first: 1000) { nodes { scopeId ${dueFields} } } }`;

interface Due {
  scopeId: string;
  lastProcessedTimestamp: string;
  active: boolean;
  coveredUntil: string;
  lag: string;
  duePeriods: number;
  nextPeriod: { start: string; end: string } | null;
}

describe.each(apiDatabases)('on $name', ({ create }) => {
  const shared = useStateApi(create);

  describe.each(schedules)('with $name', ({ settings, period, waitPeriods }) => {
    const api = new StateApi();
    const run = unit().scopeId; // the prefix of this block's scope ids

    beforeAll(async () => {
      api.database = shared.database;
      api.server = await startServer({ DATABASE_URL: api.database.url, ...settings });
    });
    afterAll(async () => {
      await api.server.stop();
    });

    /** States around each of the first borders, and far from them. */
    async function insertStates(active: boolean): Promise<void> {
      const now = micros(await api.clock());
      const borders = [0n, 1n, waitPeriods, waitPeriods + 1n, waitPeriods + 2n, 50n, 100n];
      const ages = borders.flatMap((border) =>
        [-5_000_000n, -1n, 0n, 7n].map((more) => border * period - more),
      );
      for (const age of [...new Set(ages)].filter((one) => one >= 0n && one < now)) {
        const at = instant(now - age);
        await api.insertExact(unit({ scopeId: `${run} ${active} ${age}` }), at, { active });
      }
      await api.insertExact(unit({ scopeId: `${run} ${active} oldest` }), '1970-01-01T00:00:00Z', { active });
      await api.insertExact(unit({ scopeId: `${run} ${active} ahead` }), instant(now + 100n * day), {
        active,
      });
    }

    async function nodes(active: boolean): Promise<Due[]> {
      const filter = { scopeIdPrefix: `${run} ${active}` };
      return (await api.server.data(query, { filter })).scopeStates.nodes;
    }

    test('what is due follows from the state and the answered lag by CloudKitty’s formula', async () => {
      await insertStates(true);
      const before = micros(await api.clock());
      const states = await nodes(true);
      const after = micros(await api.clock());

      const clocks = new Set<bigint>();
      for (const state of states) {
        const at = micros(state.lastProcessedTimestamp);
        const covered = at + period;
        expect(micros(state.coveredUntil)).toBe(covered);
        const lag = lagOf(state);
        expect(lag).toBeGreaterThanOrEqual(0n);
        if (lag > 0n) clocks.add(covered + lag);
        else expect(covered).toBeGreaterThanOrEqual(before);

        // With no lag at all the clock is at or before its end; then nothing is due, whichever it was.
        const now = lag > 0n ? covered + lag : before;
        const due = dueBy(at, now, period, waitPeriods);
        expect(state.duePeriods).toBe(Number(due));
        expect(state.nextPeriod).toEqual(
          due > 0n ? { start: instant(covered), end: instant(covered + period) } : null,
        );
      }
      const [clock, ...others] = clocks;
      expect(others).toEqual([]); // one answer, one moment
      expect(clock).toBeGreaterThanOrEqual(before);
      expect(clock).toBeLessThanOrEqual(after);
      expect(new Set(states.map(({ duePeriods }) => duePeriods > 0))).toEqual(new Set([true, false]));
    });

    test('an inactive scope has nothing due, however far it is behind', async () => {
      await insertStates(false);
      const states = await nodes(false);
      expect(states.map(({ duePeriods, nextPeriod }) => [duePeriods, nextPeriod])).toEqual(
        states.map(() => [0, null]),
      );
      const oldest = states.find(({ scopeId }) => scopeId.endsWith('oldest'))!;
      expect(lagOf(oldest)).toBeGreaterThan(50n * 365n * day);
    });

    test('a unit without a state starts with the month’s first period, due by the same rule', async () => {
      const [before, checked, after] = [await api.clock(), await api.check(unit()), await api.clock()];
      const expected = [before, after].map((now) => {
        const start = micros(now.toZonedDateTimeISO('UTC').with({ day: 1 }).startOfDay().toInstant());
        const due = start + waitPeriods * period < micros(now);
        return due ? { start: instant(start), end: instant(start + period) } : null;
      });
      expect(expected).toContainEqual(checked.nextPeriod);
    });

    test('checks and queries agree on the next period, and advancing through it all leaves nothing due', async () => {
      const owner = unit({ scopeId: `${run} catching up` });
      await api.insertExact(owner, instant(micros(await api.clock()) - (waitPeriods + 5n) * period));
      let steps = 0;
      for (;;) {
        const { scopeState, nextPeriod } = await api.check(owner);
        if (nextPeriod === null) break;
        expect(nextPeriod.start).toBe(scopeState.coveredUntil);
        const advance = { unit: owner, expected: scopeState.lastProcessedTimestamp };
        const advanced = await api.advance({ ...advance, lastProcessedTimestamp: nextPeriod.start });
        expect(advanced).toMatchObject({ outcome: 'ADVANCED', scopeState: { coveredUntil: nextPeriod.end } });
        steps++;
      }
      expect(steps).toBe(5); // the sixth is due only after the wait periods
    });
  });

  test('now is the database’s clock, whatever the server’s own says', async () => {
    const tenYearsAhead = 'const real = Date.now; Date.now = () => real() + 315360000000;';
    const api = new StateApi();
    api.database = shared.database;
    api.server = await startServer({
      DATABASE_URL: api.database.url,
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(tenYearsAhead)}`,
    });
    const owner = unit();
    const now = await api.clock();
    const inAYear = now.add({ hours: 365 * 24 }).toString();
    expect((await api.advance({ unit: owner, lastProcessedTimestamp: inAYear })).outcome).toBe('IN_FUTURE');
    await api.insertExact(owner, now.toString());
    const filter = { scopeIds: [owner.scopeId] };
    const { scopeStates } = await api.server.data(query, { filter });
    expect(scopeStates.nodes).toMatchObject([{ lag: 'PT0S', duePeriods: 0 }]);
    await api.server.stop();
  });
});

function micros(time: Temporal.Instant | string): bigint {
  return Temporal.Instant.from(time).epochNanoseconds / 1000n;
}

function instant(micros: bigint): string {
  return Temporal.Instant.fromEpochNanoseconds(micros * 1000n).toString();
}

function lagOf({ lag }: Due): bigint {
  const { days, hours, minutes, seconds, milliseconds, microseconds } = Temporal.Duration.from(lag);
  const parts = [days * 24 + hours, minutes, seconds, milliseconds, microseconds].map(BigInt);
  const [wholeHours, wholeMinutes, wholeSeconds, millis, rest] = parts as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return wholeHours * hour + wholeMinutes * 60_000_000n + wholeSeconds * 1_000_000n + millis * 1000n + rest;
}

/** max(0, ⌈(now − t)/p − w⌉ − 1), multiplied out: the ceiling of a whole number over a whole number. */
function dueBy(at: bigint, now: bigint, period: bigint, waitPeriods: bigint): bigint {
  const over = now - at - waitPeriods * period;
  const ceiling = over > 0n ? (over - 1n) / period + 1n : over / period;
  return ceiling > 1n ? ceiling - 1n : 0n;
}
