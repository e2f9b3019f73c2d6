// What has to be reached: issue 7's table.
import { batchSize } from '../work/operations.js';
import { servers } from '../peers/peers.js';
import { aroundMedian } from './statistics.js';

const titleOf = (name) => servers.find((server) => server.name === name).title;
const ratioLines = [
  {
    operations: ['read'],
    concurrencies: [64, 512],
    least: { postgraphile: 4, mercurius: 1.7, tutorial: 9, bare: 1.8 },
  },
  {
    operations: ['advance'],
    concurrencies: [64, 512],
    least: { postgraphile: 5, mercurius: 1.9, tutorial: 12, bare: 1.6 },
  },
  { operations: ['read', 'advance'], concurrencies: [64], least: { batched: 0.6 }, aim: 0.75 },
  { operations: ['read', 'advance'], concurrencies: [1, 8], least: { mercurius: 0.65 }, aim: 0.9 },
  { operations: ['page'], concurrencies: [8, 64], least: { bare: 0.75, postgraphile: 1.6 } },
  { operations: ['batch'], concurrencies: [4], least: { bare: 0.95 } },
];
const leastRowsASecond = 40_000;
const mostTimesTheFirstPage = 1.5;

/** Each line: operation, concurrency, against what, what is asked, what was measured, between what it lies, what the ceiling reaches, whether it is reached. */
export function targetLines(results) {
  return [
    ...ratioLines.flatMap((line) => ratiosOf(results, line)),
    rowsLine(results.of('batch', 4, 'ours')?.rate),
    deepLine(results.of('deep', 1, 'ours')?.p50, results.of('page', 1, 'ours')?.p50),
  ];
}

function ratiosOf(results, { operations, concurrencies, least, aim }) {
  return operations.flatMap((operation) =>
    concurrencies.flatMap((concurrency) =>
      Object.entries(least).map(([other, asked]) => {
        const ratio = results.ratio(operation, concurrency, 'ours', other);
        const ratios = results.ratios(operation, concurrency, 'ours', other);
        const hasFailed = results.of(operation, concurrency, 'ours')?.failure !== undefined;
        return {
          operation,
          concurrency,
          against: titleOf(other),
          asked: `≥ ${asked}×${aim ? `, aim ${aim}×` : ''}`,
          measured: ratio === undefined ? (hasFailed ? 'failed' : undefined) : `${ratio.toFixed(2)}×`,
          between:
            ratios &&
            aroundMedian(ratios)
              .map((end) => end.toFixed(2))
              .join(' to '),
          ceiling: ceilingOf(results, operation, concurrency, other),
          isReached: ratio === undefined ? (hasFailed ? false : undefined) : ratio >= asked,
        };
      }),
    ),
  );
}

/** What the ceiling reaches against the same server: what lies beyond it, nobody reaches here. */
function ceilingOf(results, operation, concurrency, other) {
  if (!['read', 'advance'].includes(operation) || other === 'batched') return undefined;
  const ratio = results.ratio(operation, concurrency, 'batched', other);
  return ratio === undefined ? undefined : `${ratio.toFixed(2)}×`;
}

function rowsLine(rate) {
  const rows = rate && rate * batchSize;
  return {
    operation: 'batch',
    concurrency: 4,
    against: 'rows a second',
    asked: `≥ ${leastRowsASecond}`,
    measured: rows === undefined ? undefined : rows.toFixed(0),
    isReached: rows === undefined ? undefined : rows >= leastRowsASecond,
  };
}

function deepLine(deep, first) {
  const times = deep && first && deep / first;
  return {
    operation: 'deep',
    concurrency: 1,
    against: 'the first page, its time',
    asked: `≤ ${mostTimesTheFirstPage}×`,
    measured: times === undefined ? undefined : `${times.toFixed(2)}×`,
    isReached: times === undefined ? undefined : times <= mostTimesTheFirstPage,
  };
}

export function verdict({ isReached }) {
  if (isReached === undefined) return 'not measured';
  return isReached ? 'reached' : '**not reached**';
}
