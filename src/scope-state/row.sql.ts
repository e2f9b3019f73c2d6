import {
  formatInstant,
  instantFromMicros,
  instantFromSafeMicros,
  latestInstant,
  microsOf,
  PeriodStarts,
} from '../time/instant.js';
import type { UnitTexts } from '../caller/grant.rules.js';
import type { ScopeState } from './scope-state.rules.js';

export const table = 'cloudkitty_storage_states';

/** Now, by the database's clock, as the columns hold time. */
export const utcClock = `timezone('utc', clock_timestamp())`;

/** Whole microseconds since 1970, as text: exact in JSON, too, and the same whatever the session's DateStyle and TimeZone. */
export function micros(timestamp: string): string {
  return `(extract(epoch from ${timestamp}) * 1000000)::bigint::text`;
}

/** The time, or where none such can be answered the first or last one that can: `infinity` is no number. */
export function answerableTime(timestamp: string): string {
  return `case when ${timestamp} < '0001-01-01' then '0001-01-01'
    when ${timestamp} > '9999-12-31 23:59:59.999999' then '9999-12-31 23:59:59.999999' else ${timestamp} end`;
}

/**
 * The same at half the cost: what PostgreSQL itself keeps, which is microseconds since 2000, in sixteen hexadecimal digits.
 * For rows, which are sent by the hundred.
 */
export function stamp(timestamp: string): string {
  return `encode(timestamp_send(${timestamp}), 'hex')`;
}

const microsOf2000 = 946_684_800_000_000;

/** Exact where it is safe. */
function microsSince2000(digits: string, start: number): number {
  return integerAt(digits, start) * 2 ** 32 + Number.parseInt(digits.slice(start + 8, start + 16), 16);
}

export function fromStamp(digits: string, start = 0): Temporal.Instant {
  const since2000 = microsSince2000(digits, start);
  const micros = since2000 + microsOf2000;
  if (Number.isSafeInteger(since2000) && Number.isSafeInteger(micros)) return instantFromSafeMicros(micros);
  return answerable(BigInt.asIntN(64, BigInt(`0x${digits.slice(start, start + 16)}`)) + BigInt(microsOf2000));
}

/** The first of a year that all writers of RFC 3339 can write. */
const firstInstant = Temporal.Instant.from('0001-01-01T00:00:00Z');
const [firstMicros, latestMicros] = [microsOf(firstInstant), microsOf(latestInstant)];

/** A row may say what no writer can have meant, such as `infinity`: it is answered as the last that can be. */
function answerable(micros: bigint): Temporal.Instant {
  if (micros < firstMicros) return firstInstant;
  return micros > latestMicros ? latestInstant : instantFromMicros(micros);
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

const starts = new PeriodStarts<number>();
/** Of a row's stamps the first. */
export function lastProcessed(stamps: string): Temporal.Instant {
  const since2000 = microsSince2000(stamps, 0);
  // From the year 2285 on several microseconds are one number.
  return Number.isSafeInteger(since2000) ? starts.of(since2000, () => fromStamp(stamps)) : fromStamp(stamps);
}
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
 * What is told of a row that is only read, but its unit, in one text: what a field costs both sides is much of what a row does.
 *
 * @param more SQL of what else is told, behind the rest
 */
export function toldOf(alias: string, ...more: string[]): string {
  const columns = ['active', 'version', 'id', 'revision', 'moved_by_operator'];
  const parts = [stamps(alias), ...columns.map((column) => `${alias}.${column}`), ...more];
  return `concat_ws(' ', ${parts.join(', ')})`;
}

/** What was told of a row, and its unit; each value is made where it is asked for. */
export class ToldState implements ScopeState {
  private readonly unit: UnitTexts;
  private readonly told: string;

  constructor(unit: UnitTexts, told: string) {
    this.unit = unit;
    this.told = told;
  }

  private part(place: number): string {
    let start = 0;
    for (let passed = 0; passed < place; passed++) start = this.told.indexOf(' ', start) + 1;
    const end = this.told.indexOf(' ', start);
    return end === -1 ? this.told.slice(start) : this.told.slice(start, end);
  }

  private get stamps(): string {
    return this.part(0);
  }

  get id(): number {
    return Number(this.part(3));
  }

  get scopeId(): string {
    return this.unit.scopeId;
  }

  get scopeKey(): string | null {
    return this.unit.scopeKey;
  }

  get collector(): string | null {
    return this.unit.collector;
  }

  get fetcher(): string | null {
    return this.unit.fetcher;
  }

  get lastProcessedTimestamp(): Temporal.Instant {
    return lastProcessed(this.told); // it begins with it
  }

  get active(): boolean {
    return this.part(1) === 't';
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
    return Number(this.part(2));
  }

  get revision(): number {
    return Number(this.part(4));
  }

  get movedByOperator(): boolean {
    return this.part(5) === 't';
  }
}

export function toInstant(micros: string): Temporal.Instant {
  return instantFromMicros(BigInt(micros));
}

/** For a parameter cast to timestamp(6), which takes no zone: year first, so that no DateStyle reads it otherwise. */
export function toTimestamp(instant: Temporal.Instant): string {
  return formatInstant(instant).slice(0, -'Z'.length);
}
