/**
 * A collector's loop that is right. Copy it, and put your own rating into `priceOf` and your own store into `Ratings`.
 *
 *   check  ->  rate the next period  ->  advance, with `expected`  ->  and again, from the check
 *
 * What it guarantees: every period of a unit, from its first one up to its state, is rated once. None is rated twice and
 * none is left out, however often this program, the server or its database is killed, however many collectors work on
 * the same units, and although operators reset states meanwhile. Three things make it so:
 *
 * 1. First rate, then advance. A crash between the two leaves a state that says "not rated yet", so the period is rated
 *    again: the rating store has to take that as the same rating (below). The other way round, a crash would leave a
 *    period that everybody takes for rated and nobody has rated.
 * 2. `expected` is the state that the period was computed from; the advance is refused when it is another one by now.
 *    Without it: a state is at 10:00. Collector A checks, and rates 11:00. An operator finds a mistake, deletes the
 *    ratings since 06:00 and resets the state to 05:00; collector B checks, and starts over with 06:00. Now A's advance
 *    to 11:00 arrives. It is later than what is stored, so it is taken: 07:00 to 10:00 are billed to nobody.
 * 3. Nothing is remembered from one round to the next. Each begins with a check, and so does each start: this program
 *    may be killed at any moment.
 *
 * What the rating store must do:
 *
 * - keep a rating for good before it says so: commit first, advance after;
 * - keep one rating for each unit and period, however often it is given: a unique key, as here. A store that can't do
 *   that must write down, in the same transaction as the ratings, the start of the last period rated for each unit, and
 *   refuse what is not later;
 * - be one store for all collectors of a unit.
 *
 * What an operator must do: before ratings are deleted for a reset, switch the scopes off (`setScopeActivation`) and wait
 * until the collectors have finished their round, else a rating on its way arrives after the deletion; then reset, and
 * switch them on. The same before a reset to a *later* state, or one period after it may be there already.
 */
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  createClient,
  ScopestateError,
  type AdvanceOutcome,
  type Client,
  type CollectionUnitInput,
  type Period,
} from 'scopestate/client';

/** One transaction on the server, and one in the rating store. */
const batchSize = 500;

interface Work {
  unit: CollectionUnitInput;
  period: Period;
  /** the state that `period` follows; null: the unit had none */
  expected: string | null;
}

/** Your rating: read the unit's usage from `start` (inclusive) to `end` (exclusive) and put a price on it. */
function priceOf(_unit: CollectionUnitInput, _period: Period): number {
  return 1;
}

/** Your rating store; here a file of SQLite's, which several collectors on one machine can share. */
class Ratings {
  private readonly database: DatabaseSync;

  constructor(path: string) {
    this.database = new DatabaseSync(path, { timeout: 60_000 });
    this.database.exec(`
      pragma synchronous = full;
      create table if not exists rating (
        scope_id text, scope_key text, collector text, fetcher text, period_start text, period_end text, price real,
        primary key (scope_id, scope_key, collector, fetcher, period_start)
      )`);
  }

  /** All of them or, after a crash, none; for good once this returns. A rating that is there already stays. */
  add(works: Work[]): void {
    this.database.exec('begin immediate');
    const insert = this.database.prepare(
      'insert into rating values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing',
    );
    for (const { unit, period } of works) {
      const { scopeId, scopeKey, collector, fetcher } = unit;
      insert.run(scopeId, scopeKey, collector, fetcher, period.start, period.end, priceOf(unit, period));
    }
    this.database.exec('commit');
  }
}

/** Rates the next period of each unit that has one due; how many had. */
async function rateNextPeriods(scopestate: Client, units: CollectionUnitInput[], ratings: Ratings) {
  const checks = await scopestate.checkMany(units);
  const works = units.flatMap((unit, place): Work[] => {
    const { outcome, scopeState, nextPeriod } = checks[place]!;
    if (outcome === 'FORBIDDEN') throw forbidden(unit);
    // No period: nothing is due, or the scope is switched off. An unknown unit has one, and null as its state.
    if (nextPeriod === null) return [];
    return [{ unit, period: nextPeriod, expected: scopeState?.lastProcessedTimestamp ?? null }];
  });
  if (works.length === 0) return 0;
  ratings.add(works);
  const results = await scopestate.advanceMany(
    works.map(({ unit, period, expected }) => ({ unit, lastProcessedTimestamp: period.start, expected })),
  );
  results.forEach(({ outcome }, place) => heed(outcome, works[place]!));
  return works.length;
}

/** What to do about an advance's outcome. The next round begins with a check, which is most of it. */
function heed(outcome: AdvanceOutcome, { unit, period }: Work): void {
  switch (outcome) {
    case 'CREATED':
    case 'ADVANCED':
      return; // go on with the next period
    case 'UNCHANGED':
      return; // it was advanced already: by this collector, if an answer was lost, or by another. Go on
    case 'STALE':
    case 'REGRESSION':
      // Somebody else moved the state: another collector, or an operator. What was checked holds no more; check again.
      console.error(`${outcome}: ${unit.scopeId} was moved while ${period.start} was rated`);
      return;
    case 'INACTIVE':
      console.error(`${outcome}: ${unit.scopeId} is switched off`);
      return; // leave it alone: checks say that nothing is due until it is switched on, and this period is then the next
    case 'IN_FUTURE':
      // The period came from the server, so its database's clock has gone back. No retry mends that: a human has to.
      throw new Error(`${outcome}: ${period.start} lies after the database's clock: look at the clocks`);
    case 'FORBIDDEN':
      throw forbidden(unit); // its grants were narrowed since it was checked
  }
}

/** No retry mends that, and whoever rates on without saying so leaves a unit unrated for good: a human has to. */
function forbidden({ scopeId, scopeKey, collector, fetcher }: CollectionUnitInput): Error {
  const unit = [scopeId, scopeKey, collector, fetcher].join(', ');
  return new Error(`FORBIDDEN: this collector is not granted the unit (${unit}): look at its grants`);
}

/** For a mistake in how it was started; a supervisor need not start it again. */
function misused(message: string): never {
  console.error(message);
  process.exit(2);
}

function readUnits(path: string): CollectionUnitInput[] {
  const parts = ['scopeId', 'scopeKey', 'collector', 'fetcher'];
  const isUnit = (unit: Record<string, unknown>) => parts.every((part) => typeof unit?.[part] === 'string');
  try {
    const units: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!Array.isArray(units)) throw new Error('it is not a JSON array');
    if (units.every(isUnit)) return units as CollectionUnitInput[];
    throw new Error(`not every element of it is a unit, with ${parts.join(', ')} as texts`);
  } catch (error) {
    misused(`--units: ${path} can't be read: ${(error as Error).message}`);
  }
}

const help = `Rates what is due, and advances the states.

  --url            the server (http://localhost:4000/graphql)
  --units          a file: the collection units, as a JSON array (units.json)
  --ratings        the rating store, a file of SQLite's (ratings.sqlite)
  --pause-seconds  the wait when nothing is due (60)
  --until-idle     end instead of waiting`;

function readArguments() {
  const { COLLECTOR_URL, COLLECTOR_UNITS, COLLECTOR_RATINGS, COLLECTOR_PAUSE_SECONDS } = process.env;
  const options = {
    url: { type: 'string', default: COLLECTOR_URL ?? 'http://localhost:4000/graphql' },
    units: { type: 'string', default: COLLECTOR_UNITS ?? 'units.json' },
    ratings: { type: 'string', default: COLLECTOR_RATINGS ?? 'ratings.sqlite' },
    'pause-seconds': { type: 'string', default: COLLECTOR_PAUSE_SECONDS ?? '60' },
    'until-idle': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    const { url, 'pause-seconds': seconds } = values;
    if (!/^https?:/.test(url))
      throw new Error(`--url: found ${url}; allowed: http://host:port/graphql, or https`);
    if (Number(seconds) > 0) return { ...values, pauseSeconds: Number(seconds) };
    throw new Error(`--pause-seconds: found ${seconds}; allowed: a number above 0`);
  } catch (error) {
    misused((error as Error).message);
  }
}

const settings = readArguments();
const units = readUnits(settings.units);
const ratings = new Ratings(settings.ratings);
// The client sends again by itself: after UNAVAILABLE, 429 and 503, when nothing was done, it waits and tries once more;
// after OUTCOME_UNKNOWN, a timeout or a broken connection, when it may have been done, it sends the same advance, and
// UNCHANGED says that it was done. What is thrown after five minutes of that, or at once for a mistake in the request,
// ends this program. That is safe as any crash is: let your supervisor start it again.
const scopestate = createClient({
  url: settings.url,
  token: process.env['COLLECTOR_TOKEN'],
  timeoutMillis: 30_000,
  retry: {
    withinMillis: 5 * 60_000,
    onRetry: ({ message }, delayMillis) =>
      console.error(`${message}; trying again in ${(delayMillis / 1000).toFixed(1)} s`),
  },
});

try {
  for (let rated = 0, isFirst = true; ;) {
    let due = 0;
    for (let place = 0; place < units.length; place += batchSize) {
      due += await rateNextPeriods(scopestate, units.slice(place, place + batchSize), ratings);
    }
    rated += due;
    if (due > 0) continue;
    if (rated > 0 || isFirst) console.log(`rated ${rated} periods; nothing more is due`);
    if (settings['until-idle']) break;
    [rated, isFirst] = [0, false];
    await setTimeout(settings.pauseSeconds * 1000);
  }
} catch (error) {
  if (!(error instanceof ScopestateError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
