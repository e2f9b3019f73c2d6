import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import pg from 'pg';
import { TokenLookup } from '../../src/access/token-lookup.js';
import { TokenRepository, type StoredToken } from '../../src/access/token.repository.js';
import { createTokenWayIn } from '../../src/access/token-way-in.js';
import { Unauthenticated, Unavailable } from '../../src/fault.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';
import { Tokens } from './tokens.js';

let database: TestDatabase;
let pool: pg.Pool;
let tokens: Tokens;
/** the ids of each statement that was sent to the database */
let asked: string[][];
let before: () => Promise<unknown>;
let now: number;
let lookup: TokenLookup;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  tokens = new Tokens(database);
});
afterAll(async () => {
  await pool.end();
  await tokens.close();
  await database.drop();
});
beforeEach(() => {
  const repository = new TokenRepository(pool);
  [asked, now, before] = [[], 5_000, () => Promise.resolve()];
  const byIds = async (ids: readonly string[]): Promise<StoredToken[]> => {
    asked.push([...ids]);
    await before();
    return repository.byIds(ids);
  };
  lookup = new TokenLookup({ byIds }, () => now);
});

const known = (id: string) => expect.objectContaining({ token: expect.objectContaining({ id }) }) as unknown;

let count = 0;
const made = (expiresIn?: string) =>
  tokens.create(`token ${++count}`, 'reader', expiresIn === undefined ? {} : { expiresIn });

test('the database is asked once for half a second and token, however many ask', async () => {
  const { id } = await made();
  const found = await Promise.all([lookup.find(id), lookup.find(id), lookup.find(id)]);
  expect(found.map((each) => each?.token?.id)).toEqual([id, id, id]);
  now += 499;
  await lookup.find(id);
  expect(asked).toEqual([[id]]);
});

test('a token in use is asked for once more before its second is over, and nobody waits for it', async () => {
  const { id } = await made();
  await lookup.find(id);
  const { promise, resolve } = Promise.withResolvers<void>();
  before = () => promise;
  now += 500;
  const meanwhile = [lookup.find(id), lookup.find(id)];
  expect(meanwhile).toEqual([known(id), known(id)]);
  expect(asked).toEqual([[id], [id]]);
  await tokens.revoke(id);
  resolve();
  await until('the answer is there', async () => (await lookup.find(id))?.token === undefined);
  expect(asked).toHaveLength(2);
});

test('where the database does not say, a token is believed until its second is over, and nothing else happens', async () => {
  const { id } = await made();
  await lookup.find(id);
  before = () => Promise.reject(new Unavailable('gone'));
  now += 500;
  expect(lookup.find(id)).toEqual(known(id));
  await until('it has been asked for', () => asked.length === 2);
  await new Promise(setImmediate); // what nobody catches would end the process
  now += 499;
  expect(lookup.find(id)).toEqual(known(id));
  now += 1;
  await expect(lookup.find(id)).rejects.toThrow(Unavailable);
});

test('who joins others that have waited for longer than a second gets an answer of his own time', async () => {
  const { id } = await made();
  const { promise, resolve } = Promise.withResolvers<void>();
  before = () => promise;
  const first = lookup.find(id);
  await until('it is asked for', () => asked.length === 1);
  now += 1_000;
  const late = lookup.find(id);
  resolve();
  expect([await first, await late]).toEqual([known(id), known(id)]);
  expect(asked).toEqual([[id], [id]]);
});

test('one that nobody uses is not asked for, nor is one that is not in force', async () => {
  const [{ id }, revoked] = [await made(), await made()];
  await tokens.revoke(revoked.id);
  await Promise.all([lookup.find(id), lookup.find(revoked.id)]);
  now += 999;
  await lookup.find(revoked.id);
  expect(asked.flat()).toEqual([id, revoked.id]);
  now += 1;
  await lookup.find(id);
  expect(asked.flat()).toEqual([id, revoked.id, id]);
});

test('what is asked while a statement is under way goes into one more', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  before = () => promise;
  const [one, two, three] = [await made(), await made(), await made()];
  const all = [one, two, three].map(async ({ id }) => lookup.find(id));
  resolve();
  expect((await Promise.all(all)).map((each) => each?.token?.id)).toEqual([one.id, two.id, three.id]);
  expect(asked).toEqual([[one.id], [two.id, three.id]]);
});

test('an unknown id is remembered too, and is found a second after it was made', async () => {
  const { id } = await made();
  const unknown = id.split('').reverse().join('');
  expect([await lookup.find(unknown), await lookup.find(unknown)]).toEqual([undefined, undefined]);
  expect(asked).toHaveLength(1);
  await database.query('update scopestate_tokens set id = $1 where id = $2', [unknown, id]);
  now += 1_000;
  expect((await lookup.find(unknown))?.token?.id).toBe(unknown);
});

test('ids that somebody makes up push no known token out', async () => {
  const { id } = await made();
  await lookup.find(id);
  const guesses = Array.from({ length: 12_000 }, () => randomBytes(8).toString('hex'));
  await Promise.all(guesses.map(async (guess) => lookup.find(guess)));
  expect(asked.length).toBeLessThan(20);
  asked.length = 0;
  await lookup.find(id);
  expect(asked).toEqual([]);
  await lookup.find(guesses[0]!); // pushed out by the later ones
  expect(asked).toHaveLength(1);
});

test('a revoked token is not in force a second later, and an expired one at its end', async () => {
  const [revoked, expired] = [await made(), await made('PT1S')];
  expect((await lookup.find(revoked.id))?.token).toBeDefined();
  await tokens.revoke(revoked.id);
  expect((await lookup.find(revoked.id))?.token).toBeDefined();
  now += 1_000;
  expect((await lookup.find(revoked.id))?.token).toBeUndefined();

  now = 100_000;
  expect((await lookup.find(expired.id))?.token?.id).toBe(expired.id);
  now += 1_000; // its second is over by the clock of this process, whatever the database's says
  asked.length = 0;
  expect((await lookup.find(expired.id))?.token).toBeUndefined();
  expect(asked).toEqual([]);
});

test('when the database gives no answer nobody is let in on what is older than a second', async () => {
  const { id, text } = await made();
  const wayIn = createTokenWayIn(lookup, { isNeeded: true });
  const authorization = `Bearer ${text}`;
  await wayIn({ authorization });
  before = () => Promise.reject(new Unavailable('gone'));
  now += 999;
  expect(await wayIn({ authorization })).toMatchObject({ name: `token ${count}`, role: 'reader' });
  now += 1;
  await expect(wayIn({ authorization })).rejects.toThrow(Unavailable);
  await expect(lookup.find('0123456789abcdef')).rejects.toThrow(Unavailable);
  before = () => Promise.resolve();
  expect((await lookup.find(id))?.token).toBeDefined();
});

test('a row that somebody else has written lets nobody in', async () => {
  const { id, text } = await made();
  await database.query(`update scopestate_tokens set grants = '[{"scopeId": "*"}]' where id = $1`, [id]);
  const wayIn = createTokenWayIn(lookup, { isNeeded: false });
  await expect(wayIn({ authorization: `Bearer ${text}` })).rejects.toThrow(Unauthenticated);
});

test('the table has the digest of the whole text, and no secret', async () => {
  const { id, text } = await made();
  const [row] = await database.query<{ row: string; digest: string }>(
    `select t::text as row, encode(digest, 'hex') as digest from scopestate_tokens t where id = $1`,
    [id],
  );
  const digest = createHash('sha256').update(text).digest();
  expect(timingSafeEqual(Buffer.from(row!.digest, 'hex'), digest)).toBe(true);
  expect(row!.row).not.toContain(text.slice(-43));
});
