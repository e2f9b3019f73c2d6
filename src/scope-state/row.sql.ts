import { formatInstant, instantFromMicros } from '../time/instant.js';
import type { ScopeState } from './scope-state.rules.js';

export const table = 'cloudkitty_storage_states';

/** Now, by the database's clock, as the columns hold time. */
export const utcClock = `timezone('utc', clock_timestamp())`;

/** Whole microseconds since 1970, as text: exact in JSON, too, and the same whatever the session's DateStyle and TimeZone. */
export function micros(timestamp: string): string {
  return `(extract(epoch from ${timestamp}) * 1000000)::bigint::text`;
}

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
    `${micros(`${alias}.last_processed_timestamp`)} as last_processed_micros`,
    `${micros(`${alias}.scope_activation_toggle_date`)} as toggled_micros`,
    `${micros(`${alias}.updated_at`)} as updated_micros`,
    `${micros(`${alias}.last_advanced_at`)} as advanced_micros`,
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
  last_processed_micros: string;
  toggled_micros: string;
  updated_micros: string;
  advanced_micros: string | null;
}

export function toScopeState(row: ScopeStateRow): ScopeState {
  return {
    id: row.id,
    scopeId: row.identifier,
    scopeKey: row.scope_key,
    collector: row.collector,
    fetcher: row.fetcher,
    lastProcessedTimestamp: toInstant(row.last_processed_micros),
    active: row.active,
    scopeActivationToggleDate: toInstant(row.toggled_micros),
    lastAdvancedAt: row.advanced_micros === null ? null : toInstant(row.advanced_micros),
    updatedAt: toInstant(row.updated_micros),
    version: row.version,
    revision: row.revision,
    movedByOperator: row.moved_by_operator,
  };
}

export function toInstant(micros: string): Temporal.Instant {
  return instantFromMicros(BigInt(micros));
}

/** For a parameter cast to timestamp(6), which takes no zone: year first, so that no DateStyle reads it otherwise. */
export function toTimestamp(instant: Temporal.Instant): string {
  return formatInstant(instant).slice(0, -'Z'.length);
}
