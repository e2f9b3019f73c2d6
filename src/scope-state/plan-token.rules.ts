import { BadInput, quoted } from '../fault.js';
import { instantFromMicros, latestInstant, microsOf } from '../time/instant.js';

/**
 * What a dry run saw. The digest is made in the database, of what is to be done, of every selected row's id and revision
 * (or version, for a deletion), and of the moment; the moment tells which rows have advanced since.
 */
export interface Plan {
  readonly digest: string;
  readonly madeAt: Temporal.Instant;
}

const form = /^p1-([0-9a-z]{1,13})-([0-9a-f]{64})$/;

export function planToken({ digest, madeAt }: Plan): string {
  return `p1-${microsOf(madeAt).toString(36)}-${digest}`;
}

/** @throws BadInput for a text that is no plan token at all; one of another selection is stale, not bad */
export function readPlanToken(token: string, field: string): Plan {
  const [, micros, digest] = form.exec(token) ?? [];
  const madeAt = micros === undefined ? undefined : micros36(micros);
  if (madeAt === undefined || digest === undefined || madeAt > microsOf(latestInstant)) {
    throw new BadInput(field, quoted(token), 'the planToken of a dry run, as it was answered');
  }
  return { digest, madeAt: instantFromMicros(madeAt) };
}

function micros36(digits: string): bigint {
  let micros = 0n;
  for (const digit of digits) micros = micros * 36n + BigInt(parseInt(digit, 36));
  return micros;
}
