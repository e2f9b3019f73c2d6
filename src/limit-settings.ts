import type { z } from 'zod';
import { count, duration, setting } from './setting.js';

/** How much of anything one request, one caller or all of them may ask for. */
export interface Limits {
  /** of a request's body, and of a WebSocket's message where that may not have as much */
  readonly bodyBytes: number;
  readonly tokens: number;
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  /** once fragments are put in place */
  readonly fields: number;
  /** page sizes times what is selected of each row */
  readonly cost: number;
  readonly deadlineMillis: number;
  readonly headersMillis: number;
  readonly bodyMillis: number;
  readonly keepAliveMillis: number;
  readonly answerMillis: number;
  /** of answers that have not been read whole */
  readonly unreadBytes: number;
  /** of bodies that have not come whole */
  readonly unfinishedBytes: number;
  readonly connections: number;
  readonly subscriptions: number;
  readonly subscriptionsPerCaller: number;
  /** of memory, about: what the documents and variables of open subscriptions take */
  readonly subscriptionBytes: number;
  /** 0: off */
  readonly requestsPerSecond: number;
  readonly burst: number;
}

export const limitSettings = {
  SCOPESTATE_MAX_BODY_BYTES: count(
    'The largest body of a request; a subscription has 1 MiB at most.',
    1_024,
    100_000_000,
    4_194_304, // 1,000 units of the longest texts are well below it
  ),
  SCOPESTATE_MAX_TOKENS: count('The longest document, in tokens of GraphQL.', 100, 100_000, 2_000),
  SCOPESTATE_MAX_DEPTH: count('How deep fields may be nested in a document.', 5, 1_000, 20),
  SCOPESTATE_MAX_ALIASES: count(
    'How many aliases a document may have, and how many fields an operation at its root.',
    1,
    10_000,
    100,
  ),
  SCOPESTATE_MAX_DIRECTIVES: count('How many directives a document may have.', 1, 10_000, 50),
  SCOPESTATE_MAX_FIELDS: count(
    'How many fields a document may have once its fragments are put in place.',
    100,
    9_000, // graphql-query-complexity looks at 10,000 at most
    2_000,
  ),
  SCOPESTATE_MAX_COST: count(
    'The most an operation may cost: page sizes times the fields selected.',
    1_000,
    100_000_000,
    200_000, // 1,000 states with all their fields, twice over, cost a quarter of it
  ),
  SCOPESTATE_REQUEST_DEADLINE: duration('The longest wait for an answer.', 'PT1S', 'PT1H', 'PT2M'),
  SCOPESTATE_HEADERS_TIMEOUT: duration(
    'The longest time that the headers of a request may take to come.',
    'PT1S',
    'PT10M',
    'PT10S',
  ),
  SCOPESTATE_BODY_TIMEOUT: duration(
    'The longest time that a whole request, with its body, may take to come.',
    'PT1S',
    'PT1H',
    'PT30S',
  ),
  SCOPESTATE_KEEP_ALIVE: duration(
    'How long a connection stays open for the next request.',
    'PT1S',
    'PT1H',
    'PT72S', // longer than load balancers keep theirs: who closes first must not be the server
  ),
  SCOPESTATE_ANSWER_TIMEOUT: duration(
    'The longest time that a caller may take to read an answer.',
    'PT1S',
    'PT1H',
    'PT1M', // the largest page of long scope ids at 3 Mbit/s
  ),
  SCOPESTATE_MAX_UNREAD_BYTES: count(
    'How many bytes of answers may wait to be read; beyond, those that have waited longest are thrown away.',
    1_000_000,
    999_999_999,
    256_000_000,
  ),
  SCOPESTATE_MAX_UNFINISHED_BYTES: count(
    'How many bytes bodies that have not come whole may have together; beyond, those that have been coming longest are refused.',
    1_000_000,
    999_999_999,
    256_000_000,
  ),
  SCOPESTATE_MAX_CONNECTIONS: count('How many connections may be open at once.', 10, 1_000_000, 10_000),
  SCOPESTATE_MAX_SUBSCRIPTIONS: count('How many subscriptions may be open at once.', 1, 1_000_000, 10_000),
  SCOPESTATE_MAX_SUBSCRIPTIONS_PER_CALLER: count(
    'How many of them may be one caller’s.',
    1,
    1_000_000,
    5_000,
  ),
  SCOPESTATE_MAX_SUBSCRIPTION_BYTES: count(
    'The memory that what open subscriptions were asked for with may take, in bytes; one caller’s half of it.',
    1_000_000,
    999_999_999,
    256_000_000, // room for 5,000 of one caller's with documents of 50 tokens
  ),
  SCOPESTATE_RATE: count(
    'How many requests a caller may send a second, over time; 0: as many as he likes.',
    0,
    1_000_000,
    5_000,
  ),
  SCOPESTATE_RATE_BURST: count('How many he may send at once after a rest.', 1, 1_000_000, 10_000),
  SCOPESTATE_CORS_ORIGINS: setting(
    {
      default: '',
      description: 'Origins whose pages may call from a browser, with commas between.',
      allowed: 'origins as a browser sends them, for example https://dashboard.example.org; no *, no path',
    },
    (text) => {
      const origins = text === '' ? [] : text.split(',').map((origin) => origin.trim());
      return origins.every(isOrigin) ? origins : undefined;
    },
  ),
};

type LimitData = { [Name in keyof typeof limitSettings]: z.output<(typeof limitSettings)[Name]> };

export function limitsOf(data: LimitData): Limits {
  const headersMillis = millis(data.SCOPESTATE_HEADERS_TIMEOUT);
  return {
    bodyBytes: data.SCOPESTATE_MAX_BODY_BYTES,
    tokens: data.SCOPESTATE_MAX_TOKENS,
    depth: data.SCOPESTATE_MAX_DEPTH,
    aliases: data.SCOPESTATE_MAX_ALIASES,
    directives: data.SCOPESTATE_MAX_DIRECTIVES,
    fields: data.SCOPESTATE_MAX_FIELDS,
    cost: data.SCOPESTATE_MAX_COST,
    deadlineMillis: millis(data.SCOPESTATE_REQUEST_DEADLINE),
    headersMillis,
    bodyMillis: Math.max(headersMillis, millis(data.SCOPESTATE_BODY_TIMEOUT)), // Node.js wants it so
    keepAliveMillis: millis(data.SCOPESTATE_KEEP_ALIVE),
    answerMillis: millis(data.SCOPESTATE_ANSWER_TIMEOUT),
    unreadBytes: data.SCOPESTATE_MAX_UNREAD_BYTES,
    unfinishedBytes: Math.max(data.SCOPESTATE_MAX_BODY_BYTES, data.SCOPESTATE_MAX_UNFINISHED_BYTES), // one alone is let through
    connections: data.SCOPESTATE_MAX_CONNECTIONS,
    subscriptions: data.SCOPESTATE_MAX_SUBSCRIPTIONS,
    subscriptionsPerCaller: data.SCOPESTATE_MAX_SUBSCRIPTIONS_PER_CALLER,
    subscriptionBytes: data.SCOPESTATE_MAX_SUBSCRIPTION_BYTES,
    requestsPerSecond: data.SCOPESTATE_RATE,
    burst: data.SCOPESTATE_RATE_BURST,
  };
}

function millis(duration: Temporal.Duration): number {
  return duration.total('milliseconds');
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.parse(text)?.origin === text;
}
