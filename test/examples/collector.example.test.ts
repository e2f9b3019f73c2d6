import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.js';
import { StateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { startServer } from '../support/test-server.js';
import { unit, type Unit } from '../support/units.js';
import {
  copyWithoutExpected,
  deleteRatings,
  isThere,
  runExample,
  ratingsOf,
  startCollector,
  type Collector,
  type Language,
} from './collectors.js';
import { Gate } from './gate.js';

/** Long, so that no period becomes due while a test runs, and an unknown unit has no more than 62 since the month began. */
const period = Temporal.Duration.from({ hours: 12 });
const settings = { SCOPESTATE_PERIOD: 'PT12H', SCOPESTATE_WAIT_PERIODS: '0' };

const api = new StateApi();
let folder: string;
let port: string;
let placed: Temporal.Instant;
let gates: Gate[];
let collectors: Collector[];
let restarts: Promise<void>;

beforeAll(async () => {
  api.database = await createTestDatabase();
});
beforeEach(async () => {
  await api.database.query('delete from cloudkitty_storage_states');
  api.server = await startServer({ DATABASE_URL: api.database.url, ...settings });
  port = new URL(api.server.url).port;
  folder = await mkdtemp(join(tmpdir(), 'scopestate-collectors-'));
  const aQuarterBeyond20Periods = (await api.clock()).subtract({ hours: 243 });
  placed = aQuarterBeyond20Periods.round('second').add({ microseconds: 123_456 });
  gates = [];
  collectors = [];
  restarts = Promise.resolve();
});
afterEach(async () => {
  await Promise.all(collectors.map((collector) => collector.kill()));
  await Promise.all(gates.map((gate) => gate.close()));
  await api.server.stop();
  await rm(folder, { recursive: true });
});
afterAll(() => api.database.drop());

async function openGate(): Promise<Gate> {
  const gate = await Gate.open(api.server.url);
  gates.push(gate);
  return gate;
}

function start(language: Language, gate: Gate, units: Unit[], file?: string): Collector {
  const collector = startCollector({ language, url: gate.url, folder, units, ...(file && { file }) });
  collectors.push(collector);
  return collector;
}

/** SIGKILL, and a new one on the same port; one restart after the other. */
function restartServer(): Promise<void> {
  restarts = restarts.then(async () => {
    await api.server.kill();
    api.server = await startServer({ DATABASE_URL: api.database.url, ...settings, PORT: port });
  });
  return restarts;
}

/** The start of the first period that is to be rated after a state. */
function after(state: Temporal.Instant): string {
  return state.add(period).toString();
}

/** What is wrong with a unit's ratings: they are to begin with `first` and go on without a gap up to the unit's state. */
async function faultsOf(rated: Unit, first: string): Promise<string[]> {
  const state = await api.find(rated);
  const ratings = ratingsOf(folder, rated);
  const faults = ratings.flatMap(({ start }, place) => {
    const wanted = place === 0 ? first : ratings[place - 1]!.end;
    return start === wanted ? [] : [`${rated.scopeId}: rated ${start} after ${wanted} was due`];
  });
  if (ratings.length === 0) faults.push(`${rated.scopeId}: nothing was rated`);
  if (state.lastProcessedTimestamp !== ratings.at(-1)?.start) {
    faults.push(
      `${rated.scopeId}: rated ${ratings.at(-1)?.start} last, but the state says ${state.lastProcessedTimestamp}`,
    );
  }
  return faults;
}

describe.each<Language>(['TypeScript', 'Python'])('the collector in %s', (language) => {
  const testHere = isThere(language) ? test : test.skip;

  testHere('rates every period once, whatever is killed and whoever competes', async () => {
    const known = Array.from({ length: 8 }, () => unit());
    const legacy = Array.from({ length: 6 }, () => unit());
    const rivals = legacy.map((one) => ({ ...one, collector: 'monasca' }));
    const unknown = [unit(), unit()];
    const inactive = unit();
    for (const one of known) await api.insertExact(one, placed.toString());
    for (const { scopeId } of legacy) await api.insertLegacy(scopeId, placed.toString());
    await api.insertExact(inactive, placed.toString(), { active: false });
    const units = [...known, ...legacy, ...rivals, ...unknown, inactive];
    const month = (await api.clock()).toZonedDateTimeISO('UTC').with({ day: 1 }).startOfDay().toInstant();

    const [gate, otherGate] = [await openGate(), await openGate()];
    const [atWork, killed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let restartsOfOther = 0;
    gate.onDeparture = async ({ kind, nth }) => {
      if (kind !== 'advance' || nth !== 3) return true;
      await restartServer(); // it was done, and the answer is lost
      return false;
    };
    gate.onArrival = async ({ kind, nth }) => {
      if (kind === 'advance') atWork.resolve();
      if (kind !== 'advance' || nth !== 8) return true;
      await first.kill(); // rated, and never advanced
      killed.resolve();
      return false;
    };
    otherGate.onArrival = async ({ kind, nth }) => {
      await atWork.promise; // neither may be done before the other has begun
      if (kind === 'advance' && nth === 6) {
        restartsOfOther++;
        void restartServer(); // while the advance is on its way
      }
      // Nor may it do all that is due before the other has been killed at its work.
      if (kind === 'advance' && nth > 6) await killed.promise;
      return true;
    };
    const first = start(language, gate, units);
    const other = start(language, otherGate, units.toReversed());
    await killed.promise;
    const second = start(language, gate, units);

    for (const collector of [second, other]) {
      expect(await collector.ended).toMatchObject({
        code: 0,
        printed: expect.stringMatching(/^rated \d+ periods; nothing more is due\n$/),
      });
    }
    expect((await other.ended).said).toMatch(/; trying again in \d+\.\d s\n/);
    await restarts;
    expect(restartsOfOther).toBe(1);
    const claimed = legacy.map((one, place) =>
      ratingsOf(folder, one)[0]?.start === after(placed) ? [one, rivals[place]!] : [rivals[place]!, one],
    );
    const faults = [
      ...[...known, ...claimed.map(([owner]) => owner!)].map((one) => faultsOf(one, after(placed))),
      ...[...unknown, ...claimed.map(([, loser]) => loser!)].map((one) => faultsOf(one, month.toString())),
    ];
    expect((await Promise.all(faults)).flat()).toEqual([]);
    expect(ratingsOf(folder, inactive)).toEqual([]);
    expect(ratingsOf(folder, known[0]!)).toHaveLength(20);
  });

  testHere('explains its arguments, and refuses wrong ones in a line', async () => {
    const help = runExample(language, ['--help']);
    expect(help).toMatchObject({ code: 0, said: '' });
    for (const name of ['url', 'units', 'ratings', 'pause-seconds', 'until-idle']) {
      expect(help.printed).toContain(`--${name}`);
    }
    const notUnits = join(folder, 'not-units.json');
    await writeFile(notUnits, '[{ "scopeId": "red" }]');
    const mistakes: [string[], RegExp][] = [
      [['--units', join(folder, 'none.json')], /--units: .*none\.json can't be read: .*no such file/i],
      [
        ['--units', notUnits],
        /--units: .* not every element of it is a unit, with scopeId, scopeKey, collector, fetcher/,
      ],
      [['--pause-seconds=-1'], /--pause-seconds: found -1(\.0)?; allowed: a number above 0/],
      [['--url', 'localhost:4000/graphql'], /--url: found localhost:4000\/graphql; allowed: http/],
      [['--colour'], /--colour/],
    ];
    for (const [args, message] of mistakes) {
      const { code, printed, said } = runExample(language, args);
      expect([code, printed, said]).toEqual([2, '', expect.stringMatching(message)]);
      expect(said).not.toMatch(/Traceback|\n +at /);
    }
  });

  testHere('says in a line why it was refused, or that nobody answers', async () => {
    const gate = await openGate();
    const refused = await start(language, gate, [unit({ collector: '' })]).ended;
    expect(refused.code).toBe(1);
    expect(refused.said).toMatch(
      /BAD_USER_INPUT:? .*units\[0\]\.collector: found an empty text; .* \(request \S+\)\n$/,
    );
    expect(refused.said).not.toMatch(/[{}]|\n./);

    const nobody = startCollector({
      language,
      url: `http://127.0.0.1:${await freePort()}/graphql`,
      folder,
      units: [unit()],
    });
    collectors.push(nobody);
    expect(await nobody.firstSaid).toMatch(/gave no answer: .*refused.*; trying again in \d\.\d s/i);
  });

  testHere('leaves no period out when an operator resets what is being rated', async () => {
    expect(await faultsAfterReset(language)).toEqual([]);
  });

  testHere('leaves periods out without `expected`, so the test above can fail', async () => {
    const faults = await faultsAfterReset(language, await copyWithoutExpected(language, folder));
    expect(faults).toHaveLength(10);
    expect(faults[0]).toMatch(/rated .* after .* was due/);
  });
});

/**
 * Collector A has rated the fourth period of 20 units, and its advance is on the way. An operator deletes the ratings of
 * ten of them and resets these to where they began; collector B checks them and rates the first period again. Then A's
 * advance arrives, and B's after it.
 */
async function faultsAfterReset(language: Language, file?: string): Promise<string[]> {
  const units = Array.from({ length: 20 }, () => unit());
  for (const one of units) await api.insertExact(one, placed.toString());
  const [gateOfA, gateOfB] = [await openGate(), await openGate()];
  const [rated, ratedAgain, letA, advanced] = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  gateOfA.onArrival = async ({ kind, nth }) => {
    if (kind !== 'advance' || nth !== 4) return true;
    rated!.resolve();
    await letA!.promise;
    return true;
  };
  gateOfA.onDeparture = ({ kind, nth }) => {
    if (kind === 'advance' && nth === 4) advanced!.resolve();
    return true;
  };
  gateOfB.onArrival = async ({ kind, nth }) => {
    if (kind !== 'advance' || nth !== 1) return true;
    ratedAgain!.resolve();
    await advanced!.promise;
    return true;
  };

  const a = start(language, gateOfA, units, file);
  await rated!.promise;
  for (const one of units.slice(0, 10)) {
    deleteRatings(folder, one.scopeId);
    await api.reset((await api.find(one)).id, placed.toString());
  }
  const b = start(language, gateOfB, units, file);
  await ratedAgain!.promise;
  letA!.resolve();
  for (const collector of [a, b]) expect(await collector.ended).toMatchObject({ code: 0 });
  return (await Promise.all(units.map((one) => faultsOf(one, after(placed))))).flat();
}
