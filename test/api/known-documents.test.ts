import { expect, test } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';
import { forgetTokens } from '../../src/api/documents/forget-tokens.js';
import { KnownDocuments, ValidatedDocuments } from '../../src/api/known-documents.js';
import { startServer } from '../support/test-server.js';
import { createTestDatabase } from '../support/test-database.js';

/** Of its own name, with a comment that makes it so long. */
function documentOf(name: string, characters: number): string {
  const document = `query ${name} { __typename } #`;
  return document + 'x'.repeat(characters - document.length);
}

test('documents are remembered until newer ones have more characters than all may have', async () => {
  const known = new KnownDocuments();
  const validated = new ValidatedDocuments();
  const texts = Array.from({ length: 24 }, (_, place) => documentOf(`q${place}`, 45_000));
  for (const text of texts) {
    known.remember(text, parse(text));
    await validated.set(text, parse(text));
  }
  const kept = texts.map((_, place) => place >= 2);
  expect(texts.map((text) => known.find(text) !== undefined)).toEqual(kept);
  expect(await Promise.all(texts.map(async (text) => (await validated.get(text)) !== undefined))).toEqual(
    kept,
  );
});

test('one that is very long is not remembered, and pushes no other out', () => {
  const known = new KnownDocuments();
  const [plain, huge] = ['query a { __typename }', documentOf('huge', 50_001)];
  known.remember(plain, parse(plain));
  known.remember(huge, parse(huge));
  expect(known.find(huge)).toBeUndefined();
  expect(known.find(plain)).toBeDefined();
});

test('and there are 1,000 of them at most', () => {
  const known = new KnownDocuments();
  const texts = Array.from({ length: 1_001 }, (_, place) => `query q${place} { __typename }`);
  for (const text of texts) known.remember(text, parse(text));
  expect(texts.filter((text) => !known.find(text))).toEqual(['query q0 { __typename }']);
});

test('comments go with the tokens, and errors tell of places all the same', () => {
  const document = parse('# one\n{ # two\n nothing }');
  forgetTokens(document);
  expect(document.loc!.startToken.next).toBeNull();
  const [fault] = validate(buildSchema('type Query { a: Int }'), document);
  expect(fault!.locations).toEqual([{ line: 3, column: 2 }]);
});

test('a server with little memory survives documents that are nothing but comments', async () => {
  const database = await createTestDatabase();
  const server = await startServer({ DATABASE_URL: database.url, NODE_OPTIONS: '--max-old-space-size=384' });
  for (let time = 0; time < 8; time++) {
    const query = `query q${time} { __typename } ${'#\n'.repeat(1_350_000)}`;
    expect(await server.ask(query)).toEqual({ data: { __typename: 'Query' } });
  }
  expect(await server.stop()).toBe(0);
  await database.drop();
}, 60_000);
