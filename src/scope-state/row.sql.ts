import { formatInstant, instantFromMicros, instantFromSafeMicros } from '../time/instant.js';
import type { ScopeState } from './scope-state.rules.js';

export const table = 'cloudkitty_storage_states';

/** Now, by the database's clock, as the columns hold time. */
export const utcClock = `timezone('utc', clock_timestamp())`;

/** Whole microseconds since 1970, as text: exact in JSON, too, and the same whatever the session's DateStyle and TimeZone. */
export function micros(timestamp: string): string {
  return `(extract(epoch from ${timestamp}) * 1000000)::bigint::text`;
}

/**
 * The same at half the cost: what PostgreSQL itself keeps, which is microseconds since 2000, in sixteen hexadecimal digits.
 * For rows, which are sent by the hundred.
 */
export function stamp(timestamp: string): string {
  return `encode(timestamp_send(${timestamp}), 'hex')`;
}

const microsOf2000 = 946_684_800_000_000;

export function fromStamp(digits: string, start = 0): Temporal.Instant {
  const high = Number.parseInt(digits.slice(start, start + 8), 16) | 0; // its sign is the stamp's
  const since2000 = high * 2 ** 32 + Number.parseInt(digits.slice(start + 8, start + 16), 16);
  const micros = since2000 + microsOf2000;
  if (Number.isSafeInteger(since2000) && Number.isSafeInteger(micros)) return instantFromSafeMicros(micros);
  return instantFromMicros(
    BigInt.asIntN(64, BigInt(`0x${digits.slice(start, start + 16)}`)) + BigInt(microsOf2000),
  );
}

/** Of a row's times, in this order, each its stamp; the last one may be missing. One text: of a page it is sent a hundred times. */
function stamps(alias: string): string {
  const given = ['last_processed_timestamp', 'scope_activation_toggle_date', 'updated_at'];
  const sent = given.map((column) => `timestamp_send(${alias}.${column})`).join(' || ');
  return `encode(${sent} || coalesce(timestamp_send(${alias}.last_advanced_at), ''), 'hex')`;
}

const lastProcessed = (row: ScopeStateRow) => fromStamp(row.stamps);
const toggled = (row: ScopeStateRow) => fromStamp(row.stamps, 16);
const updated = (row: ScopeStateRow) => fromStamp(row.stamps, 32);
const advanced = (row: ScopeStateRow) => (row.stamps.length > 48 ? fromStamp(row.stamps, 48) : null);

/** The select list of a row; its columns are read by name. */
export function rowColumns(alias: string): string {
  return [
    `${alias}.id`,
    `${alias}.identifier`,
    `${alias}.scope_key`,
    `${alias}.collector`,
    `${alias}.fetcher`,
    `${alias}.active`,
    `${alias}.version`,
    `${alias}.revision`,
    `${alias}.moved_by_operator`,
    `${stamps(alias)} as stamps`,
  ].join(', ');
}

export interface ScopeStateRow {
  id: number;
  identifier: string;
  scope_key: string | null;
  collector: string | null;
  fetcher: string | null;
  active: boolean;
  version: number;
  revision: number;
  moved_by_operator: boolean;
  stamps: string;
}

export function toScopeState(row: ScopeStateRow): ScopeState {
  return {
    id: row.id,
    scopeId: row.identifier,
    scopeKey: row.scope_key,
    collector: row.collector,
    fetcher: row.fetcher,
    lastProcessedTimestamp: lastProcessed(row),
    active: row.active,
    scopeActivationToggleDate: toggled(row),
    lastAdvancedAt: advanced(row),
    updatedAt: updated(row),
    version: row.version,
    revision: row.revision,
    movedByOperator: row.moved_by_operator,
  };
}

/** The same for rows that are only read, many of them: their times are made where they are asked for. */
export class ReadState implements ScopeState {
  private readonly row: ScopeStateRow;

  constructor(row: ScopeStateRow) {
    this.row = row;
  }

  get id(): number {
    return this.row.id;
  }

  get scopeId(): string {
    return this.row.identifier;
  }

  get scopeKey(): string | null {
    return this.row.scope_key;
  }

  get collector(): string | null {
    return this.row.collector;
  }

  get fetcher(): string | null {
    return this.row.fetcher;
  }

  get lastProcessedTimestamp(): Temporal.Instant {
    return lastProcessed(this.row);
  }

  get active(): boolean {
    return this.row.active;
  }

  get scopeActivationToggleDate(): Temporal.Instant {
    return toggled(this.row);
  }

  get lastAdvancedAt(): Temporal.Instant | null {
    return advanced(this.row);
  }

  get updatedAt(): Temporal.Instant {
    return updated(this.row);
  }

  get version(): number {
    return this.row.version;
  }

  get revision(): number {
    return this.row.revision;
  }

  get movedByOperator(): boolean {
    return this.row.moved_by_operator;
  }
}

export function toInstant(micros: string): Temporal.Instant {
  return instantFromMicros(BigInt(micros));
}

/** For a parameter cast to timestamp(6), which takes no zone: year first, so that no DateStyle reads it otherwise. */
export function toTimestamp(instant: Temporal.Instant): string {
  return formatInstant(instant).slice(0, -'Z'.length);
}
