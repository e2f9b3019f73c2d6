import { allUnits, grantFields, type Grant, type Grants } from '../caller/grant.rules.js';
import { roles, type Role } from '../caller/role.rules.js';
import { checkText, longest } from '../collection-unit/collection-unit.rules.js';
import { BadInput, codePointOf, quoted } from '../fault.js';

/** What may be told of a token: everything but its text. */
export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly grants: Grants;
}

export type TokenState = 'in force' | 'expired' | 'revoked';

const longestName = 100;
/** Each is a condition in the statements that look for states. */
const mostGrants = 50;

/** `scst_`, so that whoever searches for leaked secrets finds it; what it is called by; 32 random bytes. */
const tokenText = /^scst_([0-9a-f]{16})_[\w-]{43}$/;

/** The public part of a token's text; undefined: it is none. */
export function idOfToken(text: string): string | undefined {
  return tokenText.exec(text)?.[1];
}

/** What Node.js makes of bytes of the command line that are no UTF-8: the text would be another one than the one typed. */
const noUtf8 = '\ufffd';
const bytesFound = 'bytes that are no UTF-8';

/** Names that the log and the history have a meaning of their own for. */
const reserved = /^(?:import|anonymous|external)$|^external\s*:/iu;

const nameRule =
  `1 to ${longestName} characters in UTF-8; none of them invisible, no space at an end; not anonymous, import, ` +
  'external:…, which the history calls others, nor the form of a token or of its id';

/** @throws BadInput: under such a name a token could pass for somebody else, or for another token */
export function checkName(name: string, field: string): void {
  const refuse = (found: string) => {
    throw new BadInput(field, found, nameRule);
  };
  if (name === '') refuse('an empty text');
  if (!name.isWellFormed()) refuse('half of a surrogate pair');
  if (name.includes(noUtf8)) refuse(bytesFound);
  const invisible = /[\p{C}\p{Zl}\p{Zp}]/u.exec(name)?.[0];
  if (invisible !== undefined) refuse(`the invisible character ${codePointOf(invisible)}`);
  if (name.trim() !== name) refuse('a space at an end');
  const length = Array.from(name).length;
  if (length > longestName) refuse(`${length} characters`);
  if (/scst_/i.test(name) || /^[0-9a-f]{16}$/i.test(name)) refuse('the form of a token or of its id');
  if (reserved.test(name.normalize('NFKC'))) refuse(quoted(name));
}

/** @throws BadInput */
export function roleOf(text: string, field: string): Role {
  const role = roles.find((known) => known === text);
  if (role === undefined) throw new BadInput(field, quoted(text), roles.join(', '));
  return role;
}

/** An admin is granted all units, and nothing less; whoever is granted nothing in particular, all units too. */
export function grantsOf(role: Role, texts: readonly string[], field: string): Grants {
  if (role === 'admin' && texts.length > 0) {
    throw new BadInput(field, 'a grant for an admin', 'none: an admin is granted all units');
  }
  if (texts.length > mostGrants) throw new BadInput(field, `${texts.length} grants`, `up to ${mostGrants}`);
  return texts.length === 0 ? allUnits : texts.map((text) => readGrant(text, field));
}

const grantRule =
  `*, or patterns of ${grantFields.join(', ')}, such as collector=gnocchi,scopeId=tenant-*, in which * stands for any ` +
  `characters (a comma, or U+FFFD, in a pattern: {"scopeId":"a,\\ufffd"})`;

/** @throws BadInput naming the field, what was found and what is allowed */
function readGrant(text: string, field: string): Grant {
  if (text.includes(noUtf8)) throw new BadInput(field, bytesFound, grantRule);
  const given = text === '*' ? [] : text.startsWith('{') ? pairsOfJson(text, field) : pairsOf(text, field);
  const grant: Partial<Record<keyof Grant, string>> = {};
  for (const [name, pattern] of given) {
    if (!isGrantField(name)) throw new BadInput(field, `the field ${quoted(name)}`, grantRule);
    if (Object.hasOwn(grant, name)) throw new BadInput(field, `${name} twice`, grantRule);
    if (typeof pattern !== 'string') {
      throw new BadInput(
        `${field} ${name}`,
        `${quoted(JSON.stringify(pattern))}, which is no text`,
        grantRule,
      );
    }
    checkText(pattern, longest[name], `${field} ${name}`); // no unit has a text that it could stand for
    grant[name] = pattern;
  }
  return complete(grant);
}

function pairsOf(text: string, field: string): [string, unknown][] {
  return text.split(',').map((part) => {
    const place = part.indexOf('=');
    if (place < 0) throw new BadInput(field, quoted(part), grantRule);
    return [part.slice(0, place), part.slice(place + 1)];
  });
}

function pairsOfJson(text: string, field: string): [string, unknown][] {
  try {
    const pairs = Object.entries(JSON.parse(text) as object);
    if (pairs.length > 0) return pairs;
  } catch {
    throw new BadInput(field, `${quoted(text)}, which is no JSON`, grantRule);
  }
  throw new BadInput(field, 'no pattern at all', grantRule);
}

/** Grants as they are stored; undefined: somebody else has written something else there. */
export function readGrants(stored: unknown): Grants | undefined {
  if (!Array.isArray(stored) || stored.length === 0) return undefined;
  const isGrant = (grant: unknown): grant is Grant =>
    typeof grant === 'object' &&
    grant !== null &&
    Object.keys(grant).length === grantFields.length &&
    grantFields.every((name) => isStoredPattern((grant as Partial<Grant>)[name]));
  return stored.every(isGrant) ? stored : undefined;
}

/** As it is given on the command line. */
export function formatGrant(grant: Grant): string {
  const narrow = grantFields.filter((name) => grant[name] !== '*');
  if (narrow.length === 0) return '*';
  if (narrow.some((name) => /[,\ufffd]/.test(grant[name]))) {
    const json = JSON.stringify(Object.fromEntries(narrow.map((name) => [name, grant[name]])));
    return json.replaceAll(noUtf8, String.raw`\ufffd`);
  }
  return narrow.map((name) => `${name}=${grant[name]}`).join(',');
}

function complete(grant: Partial<Grant>): Grant {
  const { scopeId = '*', scopeKey = '*', collector = '*', fetcher = '*' } = grant;
  return { scopeId, scopeKey, collector, fetcher };
}

function isGrantField(name: string): name is keyof Grant {
  return grantFields.some((known) => known === name);
}

/** Longer than is taken now: a token that was made before keeps what it was granted. */
const longestStored = 256;

function isStoredPattern(pattern: unknown): pattern is string {
  return (
    typeof pattern === 'string' &&
    pattern !== '' &&
    pattern.isWellFormed() &&
    !/\p{Cc}/u.test(pattern) &&
    Array.from(pattern).length <= longestStored
  );
}
