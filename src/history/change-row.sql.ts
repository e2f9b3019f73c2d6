import { answerableTime, micros, toInstant } from '../scope-state/row.sql.js';
import type { ShownState } from '../scope-state/scope-state.rules.js';
import type { Change, ChangeKind } from './change.rules.js';

export { history } from '../scope-state/record.sql.js';

const times = {
  last_processed_micros: 'last_processed_timestamp',
  toggled_micros: 'scope_activation_toggle_date',
  old_last_processed_micros: 'old_last_processed_timestamp',
  old_toggled_micros: 'old_scope_activation_toggle_date',
  recorded_micros: 'recorded_at',
} as const;

/** Until the row's own were kept from other writers, they could set them to what can't be answered. */
const onceAnyones = {
  advanced_micros: 'last_advanced_at',
  old_advanced_micros: 'old_last_advanced_at',
  old_updated_micros: 'old_updated_at',
} as const;

const others = [
  'sequence',
  'kind',
  'state_id',
  'identifier',
  'scope_key',
  'collector',
  'fetcher',
  'active',
  'version',
  'old_identifier',
  'old_scope_key',
  'old_collector',
  'old_fetcher',
  'old_active',
  'old_version',
  'actor',
  'reason',
  'request_id',
  'operation',
];

/** The select list of an entry; its columns are read by name. */
export function changeColumns(alias: string): string {
  return [
    ...others.map((column) => `${alias}.${column}`),
    ...Object.entries(times).map(([name, column]) => `${micros(`${alias}.${column}`)} as ${name}`),
    ...Object.entries(onceAnyones).map(
      ([name, column]) => `${micros(answerableTime(`${alias}.${column}`))} as ${name}`,
    ),
  ].join(', ');
}

export interface ChangeRow {
  sequence: string;
  kind: ChangeKind;
  state_id: number;
  identifier: string;
  scope_key: string | null;
  collector: string | null;
  fetcher: string | null;
  active: boolean;
  version: number | null;
  old_identifier: string | null;
  old_scope_key: string | null;
  old_collector: string | null;
  old_fetcher: string | null;
  old_active: boolean | null;
  old_version: number | null;
  actor: string;
  reason: string | null;
  request_id: string | null;
  operation: string | null;
  last_processed_micros: string;
  toggled_micros: string;
  advanced_micros: string | null;
  old_last_processed_micros: string | null;
  old_toggled_micros: string | null;
  old_advanced_micros: string | null;
  old_updated_micros: string | null;
  recorded_micros: string;
}

export function toChange(row: ChangeRow): Change {
  return {
    sequence: BigInt(row.sequence),
    kind: row.kind,
    stateId: row.state_id,
    before: stateBefore(row),
    after: stateAfter(row),
    changedAt: toInstant(row.recorded_micros),
    actor: row.actor,
    reason: row.reason,
    requestId: row.request_id,
    operation: row.operation,
  };
}

function stateAfter(row: ChangeRow): ShownState | undefined {
  if (row.version === null) return undefined;
  return {
    ...unitOf(row),
    id: row.state_id,
    lastProcessedTimestamp: toInstant(row.last_processed_micros),
    active: row.active,
    scopeActivationToggleDate: toInstant(row.toggled_micros),
    lastAdvancedAt: instantOrNull(row.advanced_micros),
    updatedAt: toInstant(row.recorded_micros),
    version: row.version,
  };
}

function stateBefore(row: ChangeRow): ShownState | undefined {
  if (row.old_version === null) return undefined;
  return {
    ...(row.old_identifier === null ? unitOf(row) : oldUnitOf(row, row.old_identifier)),
    id: row.state_id,
    lastProcessedTimestamp: toInstant(row.old_last_processed_micros!),
    active: row.old_active ?? row.active,
    scopeActivationToggleDate: toInstant(row.old_toggled_micros ?? row.toggled_micros),
    lastAdvancedAt: instantOrNull(row.old_advanced_micros),
    updatedAt: toInstant(row.old_updated_micros!),
    version: row.old_version,
  };
}

function unitOf(row: ChangeRow) {
  return {
    scopeId: row.identifier,
    scopeKey: row.scope_key,
    collector: row.collector,
    fetcher: row.fetcher,
  };
}

function oldUnitOf(row: ChangeRow, scopeId: string) {
  return {
    scopeId,
    scopeKey: row.old_scope_key,
    collector: row.old_collector,
    fetcher: row.old_fetcher,
  };
}

function instantOrNull(micros: string | null): Temporal.Instant | null {
  return micros === null ? null : toInstant(micros);
}
