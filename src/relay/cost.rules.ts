import { largestPage, pageSize } from './paging.js';

/** What is known of a field when its cost is estimated: its arguments, and what each of its rows costs. */
export interface Asked {
  readonly args: Record<string, unknown>;
  readonly childComplexity: number;
}

/** A page is a statement of its own, however few rows it has: as much as ten fields of a row that is there already. */
const statementCost = 10;

/** Relay's page: so many rows, each with what is selected of it. A size that is not allowed is refused elsewhere. */
export function pageCost({ args, childComplexity }: Asked): number {
  const size = Number(args['first'] ?? args['last'] ?? pageSize);
  return statementCost + Math.min(Math.max(size, 0), largestPage) * childComplexity;
}

/** One result for each item of this list of the input. */
export function batchCost(list: string): (asked: Asked) => number {
  return ({ args, childComplexity }) => {
    const items = (args['input'] as Record<string, unknown>)[list];
    return statementCost + (Array.isArray(items) ? Math.min(items.length, largestPage) : 1) * childComplexity;
  };
}

/** A list that is never longer. */
export function listCost(longest: number): (asked: Asked) => number {
  return ({ childComplexity }) => longest * childComplexity;
}
