import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { useStateApi } from '../support/state-api.js';
import { unit } from '../support/units.js';

const at = '2026-01-01T00:00:00Z';

/** Each is a scope id that comes back as sent; beside each stands a near one that must not be taken for it. */
const texts: [name: string, text: string, near: string][] = [
  ['256 characters', 'x'.repeat(256), 'x'.repeat(255)],
  ['256 characters of four bytes', '😀'.repeat(256), '😀'.repeat(255)],
  ['a character beyond the emoji', '𐍈\u{10fffd}', '𐍈'],
  ['NFC', 'café', 'cafe\u0301'],
  ['NFD', 'an\u0303o', 'a\u00f1o'],
  ['a compatibility form', 'ﬁ', 'fi'],
  ['upper case', 'SCOPE', 'scope'],
  ['a dotless i', 'ı', 'i'],
  ['sharp s', 'straße', 'strasse'],
  ['ignorable characters', 'a\u200bb\u00adc\u2060', 'abc'],
  ['a byte order mark', '\ufeffbom', 'bom'],
  ['line and paragraph separators', 'a\u2028b\u2029c', 'a b c'],
  ['a leading blank', ' a', 'a'],
  ['a trailing blank', 'b ', 'b'],
  ['blanks only', '   ', '  '],
  ['a no-break space', '\u00a0c', 'c'],
  ['a percent sign', '%', '%%'],
  ['an underscore', '_', '__'],
  ['a percent sign inside', 'a%z', 'abz'],
  ['a backslash', '\\', '\\\\'],
  ['a backslash before a wildcard', '\\%', '%\\'],
  ['an escape that is none', 'a\\u0041\\x41\\101', 'aAAA'],
  ['a single quote', "o'neil", "o''neil"],
  ['double quotes', '"quoted"', 'quoted'],
  ['SQL', "'; drop table cloudkitty_storage_states; --", "'; drop table"],
  ['SQL that is always true', "x' or '1'='1", 'x'],
  ['a parameter', '$1', '$2'],
  ['a question mark', '?', ':name'],
  ['dollar quotes', '$$a$$', 'a$$'],
  ['an array', '{a,b}', '{a'],
  ['an array’s null', 'NULL', 'null'],
  ['an array’s quotes', '{"a","b"}', '"a"'],
  ['a row', '(1,2)', '(1'],
  ['JSON', '{"scopeId":"a"}', '{"scopeId"'],
  ['a property of every object', '__proto__', 'constructor'],
  ['a noncharacter', '\uffff\ufffe', '\uffff'],
  ['the replacement character', '\ufffd', '\ufffd\ufffd'],
  ['a number', '007', '7'],
  ['right to left', 'שלום\u202e', 'שלום'],
];

/** As sent, and as it comes back. */
const times: [sent: string, answered: string][] = [
  ['2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.000001Z'],
  ['2026-01-01T00:00:00.999999Z', '2026-01-01T00:00:00.999999Z'],
  ['2025-12-31T23:59:59.123456Z', '2025-12-31T23:59:59.123456Z'],
  ['2026-01-01T00:00:00.100000Z', '2026-01-01T00:00:00.1Z'],
  ['2026-01-01T00:00:00.0Z', '2026-01-01T00:00:00Z'],
  ['2026-01-01T05:30:00.000007+05:30', '2026-01-01T00:00:00.000007Z'],
  ['2025-12-31T20:30:00-03:30', '2026-01-01T00:00:00Z'],
  ['2026-01-01T00:00:00-00:00', '2026-01-01T00:00:00Z'],
  ['2026-01-01t00:00:00z', '2026-01-01T00:00:00Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z'],
  ['1970-01-01T00:00:00.000001Z', '1970-01-01T00:00:00.000001Z'],
  ['1969-12-31T23:00:00-01:00', '1970-01-01T00:00:00Z'],
  ['2024-02-29T12:00:00.5Z', '2024-02-29T12:00:00.5Z'],
  // hours that St. John’s has twice, and has not
  ['2025-11-02T04:15:00.000001Z', '2025-11-02T04:15:00.000001Z'],
  ['2026-03-08T02:30:00.000001Z', '2026-03-08T02:30:00.000001Z'],
  ['2026-02-03T00:00:00Z', '2026-02-03T00:00:00Z'], // the third of February, or the second of March
];

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);

  test.each(texts)('%s comes back as sent, and is found as nothing else', async (_name, text, near) => {
    const short = Array.from(text).slice(0, 40).join('');
    const owner = { scopeId: text, scopeKey: short, collector: short, fetcher: short };
    const other = { ...owner, scopeId: near };
    for (const one of [owner, other]) {
      expect(await api.advance({ unit: one, lastProcessedTimestamp: at })).toMatchObject({
        outcome: 'CREATED',
        scopeState: one,
      });
    }
    expect(await api.find(owner)).toMatchObject(owner);
    expect(await api.find(other)).toMatchObject(other);
    expect(await api.check(owner)).toMatchObject({ outcome: 'FOUND', scopeState: owner });
    expect(await api.find({ ...owner, collector: `${short.slice(0, 30)}~` })).toBeNull();
    const parts = { scopeKeys: [short], collectors: [short], fetchers: [short] };
    expect(await api.nodesOf({ scopeIds: [text], ...parts })).toMatchObject([owner]);

    const all = await api.nodesOf({});
    const begins = await api.nodesOf({ scopeIdPrefix: text });
    expect(begins).toEqual(all.filter((state) => String(state.scopeId).startsWith(text)));
    expect(begins.map(({ scopeId }) => scopeId)).toContain(text);
    expect(begins.length).toBeLessThan(all.length);
  });

  test('the scope ids are sorted by their bytes, whatever the database’s collation', async () => {
    const bytes = (await api.nodesOf({})).map(({ scopeId }) => Buffer.from(scopeId));
    expect(bytes.length).toBeGreaterThan(2 * texts.length - 1);
    expect(bytes).toEqual(bytes.toSorted((one, other) => one.compare(other)));
  });

  test('a legacy row is taken over by the text that is exactly its own', async () => {
    await api.insertLegacy('legacy-cafe\u0301', at);
    const nfc = unit({ scopeId: 'legacy-caf\u00e9' });
    expect(await api.check(nfc)).toMatchObject({ outcome: 'UNKNOWN' });
    const nfd = { ...nfc, scopeId: 'legacy-cafe\u0301' };
    expect(await api.check(nfd)).toMatchObject({ outcome: 'BACKFILLED', scopeState: nfd });
  });

  test.each(times)('%s is stored exactly and answered as %s', async (sent, answered) => {
    const owner = unit();
    const { outcome, scopeState } = await api.advance({ unit: owner, lastProcessedTimestamp: sent });
    expect([outcome, scopeState.lastProcessedTimestamp]).toEqual(['CREATED', answered]);
    const [row] = await api.database.query<{ micros: string }>(
      `select (extract(epoch from last_processed_timestamp) * 1000000)::bigint as micros
       from cloudkitty_storage_states where identifier = $1`,
      [owner.scopeId],
    );
    expect(BigInt(row!.micros) * 1000n).toBe(Temporal.Instant.from(sent).epochNanoseconds);

    expect(await api.find(owner)).toEqual(scopeState);
    expect(await api.advance({ unit: owner, lastProcessedTimestamp: sent })).toMatchObject({
      outcome: 'UNCHANGED',
    });
    const aMicrosecondLater = Temporal.Instant.from(sent).add({ microseconds: 1 }).toString();
    const scopeIds = [owner.scopeId];
    expect(await api.nodesOf({ scopeIds, processedSince: sent })).toEqual([scopeState]);
    expect(await api.nodesOf({ scopeIds, processedBefore: sent })).toEqual([]);
    expect(await api.nodesOf({ scopeIds, processedBefore: aMicrosecondLater })).toEqual([scopeState]);
    expect(await api.nodesOf({ scopeIds, processedSince: aMicrosecondLater })).toEqual([]);
    const advance = { unit: owner, lastProcessedTimestamp: aMicrosecondLater, expected: sent };
    expect(await api.advance(advance)).toMatchObject({ outcome: 'ADVANCED' });
  });

  test('the last microsecond there is can be asked for', async () => {
    const last = '9999-12-31T23:59:59.999999Z';
    expect(await api.advance({ unit: unit(), lastProcessedTimestamp: last })).toMatchObject({
      outcome: 'IN_FUTURE',
    });
    const owner = unit();
    await api.insertExact(owner, last); // as another writer may
    expect(await api.find(owner)).toMatchObject({ lastProcessedTimestamp: last, coveredUntil: last });
  });
});
