import { describe, expect, test } from '@jest/globals';
import { checkName, formatGrant, grantsOf, idOfToken, readGrants } from '../../src/access/token.rules.js';
import { isTextOf, newToken } from '../../src/access/token-text.js';
import { isLoopback } from '../../src/access/open-to-all.rules.js';
import { BadInput, quoted } from '../../src/fault.js';

describe('a name', () => {
  test.each(['me', 'tenant 7', 'a'.repeat(100), '🦊'.repeat(100), 'importer', 'externals', 'Ünïcode'])(
    'may be %j',
    (name) => expect(() => checkName(name, '--name')).not.toThrow(),
  );

  test.each([
    '',
    'a'.repeat(101),
    ' me',
    'me ',
    'a\nb',
    'a\u001b[31mb',
    'a\u0000b',
    'a\u202eb', // turns what follows around
    'im\u200bport', // looks like import
    '\ud800',
    '\ufffd',
    'import',
    'Import',
    'ｉｍｐｏｒｔ',
    'anonymous',
    'ANONYMOUS',
    'external:psql',
    'External: psql',
    'external :x',
    '0123456789abcdef',
    newToken().text,
  ])('is never %j: under it a token could pass for somebody else', (name) => {
    expect(() => checkName(name, '--name')).toThrow(BadInput);
    expect(() => checkName(name, '--name')).toThrow(/^--name: found .*; allowed: 1 to 100 characters/s);
  });

  test.each([
    ['', 'an empty text'],
    ['a\u0000b', 'the invisible character U+0000'],
    ['a\u001b[31mb', 'the invisible character U+001B'],
    ['a\u202eb', 'the invisible character U+202E'],
    ['a\u{e0041}b', 'the invisible character U+E0041'],
    ['a\ud800b', 'half of a surrogate pair'],
    ['a\udc00', 'half of a surrogate pair'],
    ['caf\ufffd', 'bytes that are no UTF-8'],
    ['🦊'.repeat(101), '101 characters'],
  ])('of which %j is wrong is told so', (name, found) => {
    expect(() => checkName(name, '--name')).toThrow(
      `--name: found ${found}; allowed: 1 to 100 characters in`,
    );
  });

  test('that is a token’s text is not said again', () => {
    const { text } = newToken();
    expect(() => checkName(text, '--name')).not.toThrow(text);
  });
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('grants', () => {
  const any = { scopeId: '*', scopeKey: '*', collector: '*', fetcher: '*' };

  test.each([
    ['*', any],
    ['collector=gnocchi', { ...any, collector: 'gnocchi' }],
    ['scopeId=tenant-*,collector=gnocchi', { ...any, collector: 'gnocchi', scopeId: 'tenant-*' }],
    ['scopeId=a=b', { ...any, scopeId: 'a=b' }],
    ['{"scopeId":"a,b"}', { ...any, scopeId: 'a,b' }],
    [String.raw`{"scopeId":"\ufffd"}`, { ...any, scopeId: '\ufffd' }],
    [`scopeId=${'🦊'.repeat(256)}`, { ...any, scopeId: '🦊'.repeat(256) }],
    [`fetcher=${'🦊'.repeat(39)}*`, { ...any, fetcher: `${'🦊'.repeat(39)}*` }],
  ])('%s is read, and written as it was given', (text, grant) => {
    expect(grantsOf('reader', [text], '--grant')).toEqual([grant]);
    expect(formatGrant(grant)).toBe(text);
    expect(readGrants([grant])).toEqual([grant]);
  });

  test('are all units, where none is given', () => {
    expect(grantsOf('collector', [], '--grant')).toEqual([any]);
    expect(grantsOf('admin', [], '--grant')).toEqual([any]);
  });

  test.each([
    ['', 'found ""'],
    ['gnocchi', 'found "gnocchi"'],
    ['colector=a', 'the field "colector"'],
    ['__proto__=a', 'the field "__proto__"'],
    ['constructor=a', 'the field "constructor"'],
    ['collector=a,collector=b', 'collector twice'],
    ['{', 'which is no JSON'],
    ['{}', 'found no pattern at all'],
    ['scopeId=caf\ufffd', 'bytes that are no UTF-8'],
    ['scopeI\u0000d=a', String.raw`the field "scopeI\u0000d"`],
    ['\ud800=a', 'the field "\ufffd"'],
    ['[1]', 'found "[1]"'],
  ])('%j is refused, with what was found and what is allowed', (text, found) => {
    expect(() => grantsOf('reader', [text], '--grant')).toThrow(BadInput);
    expect(() => grantsOf('reader', [text], '--grant')).toThrow(found);
    expect(() => grantsOf('reader', [text], '--grant')).toThrow('scopeId, scopeKey, collector, fetcher');
  });

  test.each([
    ['scopeId', 256],
    ['scopeKey', 40],
    ['collector', 40],
    ['fetcher', 40],
  ])('a pattern of %s is of a text that a unit can have: up to %i characters', (name, longest) => {
    const allowed = `1 to ${longest} characters, none of them a control character or half of a surrogate pair`;
    for (const [pattern, found] of [
      ['', 'an empty text'],
      ['a\u0000b', 'the control character U+0000'],
      ['\u0007', 'the control character U+0007'],
      ['a\u009b31m*', 'the control character U+009B'],
      ['a\ud800*', 'half of a surrogate pair'],
      ['\udc00', 'half of a surrogate pair'],
      ['a'.repeat(longest + 1), `${longest + 1} characters ("aaa`],
      [`${'🦊'.repeat(longest)}*`, `${longest + 1} characters ("🦊`],
    ] as const) {
      for (const text of [`${name}=${pattern}`, JSON.stringify({ [name]: pattern })]) {
        const read = () => grantsOf('reader', [text], '--grant');
        expect(read).toThrow(BadInput);
        expect(read).toThrow(`--grant ${name}: found ${found}`);
        expect(read).toThrow(`; allowed: ${allowed}`);
        expect(messageOf(read).isWellFormed()).toBe(true);
      }
    }
    for (const value of [1, true, null, ['a'], { $ne: null }]) {
      expect(() => grantsOf('reader', [JSON.stringify({ [name]: value })], '--grant')).toThrow(
        `--grant ${name}: found ${quoted(JSON.stringify(value))}, which is no text; allowed: `,
      );
    }
    expect(grantsOf('reader', [`${name}=${'🦊'.repeat(longest)}`], '--grant')).toHaveLength(1);
  });

  test('an admin has none, and nobody more than fifty', () => {
    expect(() => grantsOf('admin', ['*'], '--grant')).toThrow('an admin is granted all units');
    expect(() => grantsOf('reader', Array<string>(51).fill('*'), '--grant')).toThrow('51 grants');
  });

  test.each([
    [null],
    [[]],
    ['*'],
    [[{}]],
    [[{ ...any, more: '*' }]],
    [[{ ...any, scopeId: 1 }]],
    [[null]],
    [[any, 'x']],
  ])('that somebody else has stored as %j are none', (stored) => expect(readGrants(stored)).toBeUndefined());
});

describe('a token', () => {
  test('has a public id, 32 random bytes, and a digest', () => {
    const [one, other] = [newToken(), newToken()];
    expect(one.text).toMatch(/^scst_[0-9a-f]{16}_[\w-]{43}$/);
    expect(idOfToken(one.text)).toBe(one.id);
    expect(Buffer.from(one.text.slice(-43), 'base64url')).toHaveLength(32);
    expect(one.digest).toHaveLength(32);
    expect(other.text).not.toBe(one.text);
    expect(other.id).not.toBe(one.id);
  });

  test('is known by its digest, and by nothing else', () => {
    const { text, digest } = newToken();
    expect(isTextOf(text, digest)).toBe(true);
    expect(isTextOf(`${text.slice(0, -1)}${text.endsWith('A') ? 'E' : 'A'}`, digest)).toBe(false);
    expect(isTextOf(text, newToken().digest)).toBe(false);
    expect(isTextOf(text, undefined)).toBe(false);
  });

  test.each([
    '',
    'scst_',
    'scst_0123456789abcdef',
    'x',
    `${newToken().text}x`,
    newToken().text.toUpperCase(),
  ])('is not %j', (text) => expect(idOfToken(text)).toBeUndefined());
});

test('only loopback addresses are this machine’s own', () => {
  const own = ['127.0.0.1', '127.8.9.10', '::1', 'localhost', 'LOCALHOST', '::ffff:127.0.0.1'];
  const open = [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'localhost.example.org',
    '128.0.0.1',
    '127.0.0.1.example.org',
    '::2',
  ];
  expect(own.filter((host) => !isLoopback(host))).toEqual([]);
  expect(open.filter(isLoopback)).toEqual([]);
});
