import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { escapeAll, escapeForPeople, escapeInvisible, withoutSecrets } from '../src/log-text.rules.js';

// eslint-disable-next-line no-control-regex -- these are what must not come through
const harmful = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const texts = [
  'a\r\n{"level":"info","msg":"forged"}',
  '\u001b[2J\u001b]0;title\u0007',
  'a\u2028b\u2029c\u0085d',
  '\u202egnp.exe',
  '\ud800 alone',
  '"quoted" \\n not a break',
];

describe('a text of a caller', () => {
  test.each(texts)('stays in its line, and is read back as it was: %j', (text) => {
    const line = escapeInvisible(JSON.stringify({ text }));
    expect(line).not.toMatch(harmful);
    expect(line.isWellFormed()).toBe(true);
    expect(JSON.parse(line)).toEqual({ text });
  });

  test.each(texts)('is shown to people with its controls visible: %j', (text) => {
    const { text: shown } = JSON.parse(escapeAll(JSON.stringify({ text }))) as { text: string };
    expect(shown).not.toMatch(harmful);
    expect(shown.isWellFormed()).toBe(true);
  });

  test('whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const line = JSON.stringify({ text });
        expect(JSON.parse(escapeInvisible(line))).toEqual({ text });
        const { text: shown } = JSON.parse(escapeAll(line)) as { text: string };
        expect(shown).not.toMatch(harmful);
      }),
    );
  });
});

test('a command’s own line breaks stay, and nothing else that a terminal obeys', () => {
  expect(escapeForPeople('one\ntwo \u001b[2J\r\u009b\u2028\u202e scst_a_b')).toBe(
    'one\ntwo \\u001b[2J\\u000d\\u009b\\u2028\\u202e scst_***',
  );
});

test.each([
  ['postgresql://rating:hunter2@db:5432/states', 'postgresql://rating:***@db:5432/states'],
  ['postgresql://rating:hun@ter2@db:5432/states', 'postgresql://rating:***@db:5432/states'],
  ['postgresql://db/states?user=a&password=hunter2&x=1', 'postgresql://db/states?user=a&password=***&x=1'],
  ['at postgres://u:p/a:b@[::1]/x now', 'at postgres://u:***@[::1]/x now'],
  ['token scst_AbC-12_xyz is wrong', 'token scst_*** is wrong'],
  ['authorization: Bearer abcdefghijklmnop', 'authorization: Bearer ***'],
  ['listens on http://127.0.0.1:4000/graphql', 'listens on http://127.0.0.1:4000/graphql'],
  ['basic settings', 'basic settings'],
])('no secret is written: %s', (text, written) => {
  expect(withoutSecrets(text)).toBe(written);
});
