import { filtered } from '../data/units.js';
import * as bare from './bare-dialect.js';
import * as graphql from './graphql-dialect.js';
import { batchSize, pageSize } from './operations.js';
import * as postgraphile from './postgraphile-dialect.js';

const dialects = { bare, graphql, postgraphile };

/** The next request of a target as it goes over the wire, and what its answer has to be. */
export function requestOf(target, operation) {
  const dialect = dialects[target.dialect];
  const given = givenTo(target, operation);
  const { path, body } = dialect.request(operation, given);
  const text =
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n` +
    (target.token ? `Authorization: Bearer ${target.token}\r\n` : '') +
    `Content-Length: ${body.length}\r\n\r\n${body}`; // all of it is ASCII
  const faultIn = (answer) => verify[operation](dialect.answer(operation, answer), given, target);
  return { text, expected: { faultIn, advances: given.advances } };
}

function givenTo({ looks, advances, deepCursor }, operation) {
  if (operation === 'page') return { first: pageSize };
  if (operation === 'filtered') return { first: pageSize, filter: filtered };
  if (operation === 'deep') return { first: pageSize, after: deepCursor };
  if (operation === 'read' || operation === 'check') return { unit: looks.next().unit };
  return { advances: Array.from({ length: operation === 'batch' ? batchSize : 1 }, () => advances.next()) };
}

/** What is wrong with an answer, if anything is. */
const verify = {
  read: ({ state }, { unit }) => wrongUnit(state, unit),
  check: ({ outcome, state }, { unit }) =>
    outcome === 'FOUND' ? wrongUnit(state, unit) : `it was ${outcome}`,
  advance({ outcome, state }, { advances: [{ unit, timestamp }] }) {
    if (outcome !== 'ADVANCED') return `it was ${outcome}`;
    if (millisOf(state.lastProcessedTimestamp) !== Date.parse(timestamp))
      return `not advanced to ${timestamp}`;
    return wrongUnit(state, unit);
  },
  batch({ outcomes }, { advances }) {
    const done = outcomes.filter((outcome) => outcome === 'ADVANCED').length;
    return done === advances.length && outcomes.length === done ? undefined : `only ${done} were advanced`;
  },
  page: (page, _, { pages }) => wrongPage(page, pages.page),
  filtered(page, { filter }, { pages }) {
    const isWrong = (node) => node.collector !== filter.collector || node.active !== filter.active;
    return page.nodes.some(isWrong) ? 'the filter was not heeded' : wrongPage(page, pages.filtered);
  },
  deep: (page, _, { pages }) => wrongPage(page, pages.deep),
};

function wrongUnit(state, unit) {
  return state?.scopeId === unit.scopeId ? undefined : `not the state of ${unit.scopeId}`;
}

function wrongPage({ nodes, hasNextPage }, expected) {
  const fields = 'scopeId scopeKey collector fetcher lastProcessedTimestamp active version'.split(' ');
  const missing = fields.find((field) => nodes.some((node) => node[field] === undefined));
  if (missing) return `a node has no ${missing}`;
  if (hasNextPage !== expected.hasNextPage) return `hasNextPage is ${hasNextPage}`;
  const ids = nodes.map(({ scopeId }) => scopeId).join(' ');
  return ids === expected.scopeIds.join(' ') ? undefined : 'not the states of this page';
}

/** Some answer without a zone, or with microseconds: it is the same time. */
export function millisOf(timestamp) {
  return Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(timestamp) ? timestamp : `${timestamp}Z`);
}
