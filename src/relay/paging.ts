import { BadInput } from '../fault.js';

export const pageSize = 100;
/** No list in an answer is longer. */
export const largestPage = 1_000;

/** Relay's four arguments. */
export interface PageArguments {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

export interface PageRequest {
  size: number;
  /** from the end of what `after` and `before` leave */
  backward: boolean;
}

/** @throws BadInput for `first` with `last`, and for sizes outside 1 to 1,000 */
export function pageRequest({ first, last }: PageArguments): PageRequest {
  if (isGiven(first) && isGiven(last)) {
    throw new BadInput('first', `first: ${first} with last: ${last}`, 'one of them, or neither');
  }
  const [field, size] = isGiven(last) ? (['last', last] as const) : (['first', first ?? pageSize] as const);
  if (size < 1 || size > largestPage) throw new BadInput(field, String(size), `1 to ${largestPage}`);
  return { size, backward: isGiven(last) };
}

function isGiven(value: number | null | undefined): value is number {
  return value !== null && value !== undefined;
}
