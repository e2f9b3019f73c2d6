import { formatInstant, instantFromMicros, instantFromSafeMicros, PeriodStarts } from '../time/instant.js';
import type { Texts } from '../database/send.js';
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
  const high = integerAt(digits, start);
  const since2000 = high * 2 ** 32 + Number.parseInt(digits.slice(start + 8, start + 16), 16);
  const micros = since2000 + microsOf2000;
  if (Number.isSafeInteger(since2000) && Number.isSafeInteger(micros)) return instantFromSafeMicros(micros);
  return instantFromMicros(
    BigInt.asIntN(64, BigInt(`0x${digits.slice(start, start + 16)}`)) + BigInt(microsOf2000),
  );
}

/** What `int4send` makes of an integer, in eight hexadecimal digits. */
export function integerAt(digits: string, start: number): number {
  return Number.parseInt(digits.slice(start, start + 8), 16) | 0; // its sign is the first bit
}

/** Of a row's times, in this order, each its stamp; the last one may be missing. */
function stamps(alias: string): string {
  const given = ['last_processed_timestamp', 'scope_activation_toggle_date', 'updated_at'];
  const sent = given.map((column) => `timestamp_send(${alias}.${column})`).join(' || ');
  return `encode(${sent} || coalesce(timestamp_send(${alias}.last_advanced_at), ''), 'hex')`;
}

const starts = new PeriodStarts();
/** Of a row's stamps the first. */
export const lastProcessed = (stamps: string) => starts.of(stamps.slice(0, 16), fromStamp);
const toggled = (stamps: string) => fromStamp(stamps, 16);
const updated = (stamps: string) => fromStamp(stamps, 32);
const advanced = (stamps: string) => (stamps.length > 48 ? fromStamp(stamps, 48) : null);

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
    lastProcessedTimestamp: lastProcessed(row.stamps),
    active: row.active,
    scopeActivationToggleDate: toggled(row.stamps),
    lastAdvancedAt: advanced(row.stamps),
    updatedAt: updated(row.stamps),
    version: row.version,
    revision: row.revision,
    movedByOperator: row.moved_by_operator,
  };
}

/**
 * The select list of rows that are only read: what a field costs both sides is much of what a row does, so all but the unit is
 * one text. Fields are read as texts, by their place.
 */
export function readColumns(alias: string): string {
  const others = ['active', 'version', 'id', 'revision', 'moved_by_operator'];
  return [
    `${alias}.identifier`,
    `${alias}.scope_key`,
    `${alias}.collector`,
    `${alias}.fetcher`,
    `concat_ws(' ', ${stamps(alias)}, ${others.map((column) => `${alias}.${column}`).join(', ')}) as others`,
  ].join(', ');
}

/** Their names. */
export const readNames = 'identifier, scope_key, collector, fetcher, others';

/** The states in what was read: an outer join that finds no row has nulls. */
export function readStates(found: readonly Texts[]): ScopeState[] {
  return found.filter(([scopeId]) => scopeId !== null).map((texts) => new ReadState(texts));
}

/** What was read of such a row; each value is made where it is asked for. */
class ReadState implements ScopeState {
  private readonly texts: Texts;

  constructor(texts: Texts) {
    this.texts = texts;
  }

  /** One of the texts that are in one. */
  private other(place: number): string {
    const others = this.texts[4]!;
    let start = 0;
    for (let passed = 0; passed < place; passed++) start = others.indexOf(' ', start) + 1;
    const end = others.indexOf(' ', start);
    return end === -1 ? others.slice(start) : others.slice(start, end);
  }

  private get stamps(): string {
    return this.other(0);
  }

  get id(): number {
    return Number(this.other(3));
  }

  get scopeId(): string {
    return this.texts[0]!;
  }

  get scopeKey(): string | null {
    return this.texts[1]!;
  }

  get collector(): string | null {
    return this.texts[2]!;
  }

  get fetcher(): string | null {
    return this.texts[3]!;
  }

  get lastProcessedTimestamp(): Temporal.Instant {
    return lastProcessed(this.stamps);
  }

  get active(): boolean {
    return this.other(1) === 't';
  }

  get scopeActivationToggleDate(): Temporal.Instant {
    return toggled(this.stamps);
  }

  get lastAdvancedAt(): Temporal.Instant | null {
    return advanced(this.stamps);
  }

  get updatedAt(): Temporal.Instant {
    return updated(this.stamps);
  }

  get version(): number {
    return Number(this.other(2));
  }

  get revision(): number {
    return Number(this.other(4));
  }

  get movedByOperator(): boolean {
    return this.other(5) === 't';
  }
}

export function toInstant(micros: string): Temporal.Instant {
  return instantFromMicros(BigInt(micros));
}

/** For a parameter cast to timestamp(6), which takes no zone: year first, so that no DateStyle reads it otherwise. */
export function toTimestamp(instant: Temporal.Instant): string {
  return formatInstant(instant).slice(0, -'Z'.length);
}
