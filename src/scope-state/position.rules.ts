import { BadInput, quoted } from '../fault.js';
import { instantFromMicros, latestInstant, microsOf } from '../time/instant.js';
import type { ShownState } from './scope-state.rules.js';

export type OrderField = 'SCOPE_ID' | 'LAST_PROCESSED_TIMESTAMP';

export interface Order {
  readonly field: OrderField;
  readonly direction: 'ASC' | 'DESC';
}

/** A place in an order: the sorted column's value, and the id, which makes it one place only. */
export interface Position {
  readonly key: string | Temporal.Instant;
  readonly id: number;
}

export function positionOf(state: ShownState, { field }: Order): Position {
  return { key: field === 'SCOPE_ID' ? state.scopeId : state.lastProcessedTimestamp, id: state.id };
}

/** What a cursor holds. */
export function positionParts(position: Position, order: Order): (string | number)[] {
  const { key, id } = position;
  return [order.field, order.direction, typeof key === 'string' ? key : String(microsOf(key)), id];
}

/** @throws BadInput for a cursor of another order, or of a place that no row can have */
export function positionFrom(parts: readonly unknown[], order: Order, field: string): Position {
  const [orderField, direction, key, id] = parts;
  if (orderField !== order.field || direction !== order.direction) {
    throw new BadInput(
      field,
      parts.length === 4
        ? `a cursor of the order ${quoted(`${String(orderField)} ${String(direction)}`)}`
        : 'a cursor of no order',
      `one of the order asked for, "${order.field} ${order.direction}"`,
    );
  }
  const readKey = order.field === 'SCOPE_ID' ? scopeIdOf(key) : instantOf(key);
  if (readKey === undefined || !Number.isInteger(id) || Math.abs(Number(id)) > largestId) {
    throw new BadInput(field, 'a place that no state can have', 'a cursor as it was answered');
  }
  return { key: readKey, id: Number(id) };
}

/** The column is an integer of four bytes. */
const largestId = 2_147_483_647;

/** Whatever a foreign writer has stored is a place, too: only what PostgreSQL can't store is none. */
function scopeIdOf(key: unknown): string | undefined {
  return typeof key === 'string' && key.isWellFormed() && !key.includes('\0') ? key : undefined;
}

function instantOf(key: unknown): Temporal.Instant | undefined {
  if (typeof key !== 'string' || !/^\d{1,18}$/.test(key) || BigInt(key) > microsOf(latestInstant))
    return undefined;
  return instantFromMicros(BigInt(key));
}
