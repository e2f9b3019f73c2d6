import type { Texts } from '../database/send.js';
import { fromStamp, integerAt, lastProcessed } from './row.sql.js';
import type { ShownState } from './scope-state.rules.js';

/** Where a value's digits begin among those of its row. */
const places = { lastProcessed: 0, version: 16, id: 24, toggled: 32, updated: 48, advanced: 64 } as const;
const digitsOfAStamp = 16;
const digitsWithoutTimesOfChanges = 32;
const digitsOfAll = 80;

const lastAdvancedOrNever = `coalesce(s.last_advanced_at, '-infinity')`;
const stampOfNever = '8000000000000000';

/** Whether it is inactive, and which texts of its unit are null: of most rows nothing is. */
const flagged = ['not s.active', 's.scope_key is null', 's.collector is null', 's.fetcher is null'];
const columnOfFlags = 4; // behind those of the unit

/**
 * The first columns of a statement that answers one row: how many rows `s` has, and each of their columns in one text, those of a
 * fixed length as hexadecimal digits. A row, and each of its fields, costs the driver more than what is in it (docs/adr/0020-lists.md).
 * The rows are in the order of the subquery that they come from (PostgreSQL's manual, Aggregate Functions): the statement must do
 * nothing else that could change it, such as a join.
 *
 * @param separator SQL of a text; `unpacked` tells whether it will do
 * @param timesOfChanges whether states tell when they were changed, too
 */
export function packed(separator: string, timesOfChanges: boolean): string {
  const texts = [
    's.identifier',
    ...['s.scope_key', 's.collector', 's.fetcher'].map((column) => `coalesce(${column}, '')`),
    `case when ${flagged.join(' or ')} then concat(${flagged.join(', ')}) else '' end`,
  ];
  const times = ['s.scope_activation_toggle_date', 's.updated_at', lastAdvancedOrNever];
  const bytes = [
    'timestamp_send(s.last_processed_timestamp)',
    ...['s.version', 's.id'].map((column) => `int4send(${column})`),
    ...(timesOfChanges ? times : []).map((time) => `timestamp_send(${time})`),
  ];
  return [
    'count(*)',
    `encode(string_agg(${bytes.join(' || ')}, ''), 'hex')`,
    ...texts.map((text) => `string_agg(${text}, ${separator}::text)`),
  ].join(', ');
}

/**
 * The states of these columns; undefined where a text has the separator: there are more texts, then, than there are rows.
 *
 * @param timesOfChanges as they were asked for
 */
export function unpacked(
  [count, digits, ...others]: Texts,
  separator: string,
  timesOfChanges: boolean,
): ShownState[] | undefined {
  const length = Number(count);
  const texts = others.map((column) => column?.split(separator) ?? []);
  if (texts.some((column) => column.length !== length)) return undefined;
  const columns = {
    texts,
    digits: digits ?? '',
    digitsOfARow: timesOfChanges ? digitsOfAll : digitsWithoutTimesOfChanges,
  };
  if (columns.digits.length !== length * columns.digitsOfARow)
    throw new Error(`${columns.digits.length} digits of ${length} rows: a value is missing`);
  return Array.from({ length }, (_, row) => new PackedState(columns, row));
}

interface Columns {
  /** scope id, scope key, collector, fetcher and flags, each of all rows */
  readonly texts: readonly (readonly string[])[];
  readonly digits: string;
  readonly digitsOfARow: number;
}

/** Each value is made where it is asked for. */
class PackedState implements ShownState {
  private readonly columns: Columns;
  private readonly row: number;

  constructor(columns: Columns, row: number) {
    this.columns = columns;
    this.row = row;
  }

  get scopeId(): string {
    return this.text(0);
  }

  get scopeKey(): string | null {
    return this.optional(1);
  }

  get collector(): string | null {
    return this.optional(2);
  }

  get fetcher(): string | null {
    return this.optional(3);
  }

  get active(): boolean {
    return !this.isFlagged(0);
  }

  get lastProcessedTimestamp(): Temporal.Instant {
    return lastProcessed(this.stamp(places.lastProcessed));
  }

  get version(): number {
    return integerAt(this.columns.digits, this.start + places.version);
  }

  get id(): number {
    return integerAt(this.columns.digits, this.start + places.id);
  }

  get scopeActivationToggleDate(): Temporal.Instant {
    return fromStamp(this.stampOfChange(places.toggled));
  }

  get updatedAt(): Temporal.Instant {
    return fromStamp(this.stampOfChange(places.updated));
  }

  get lastAdvancedAt(): Temporal.Instant | null {
    const stamp = this.stampOfChange(places.advanced);
    return stamp === stampOfNever ? null : fromStamp(stamp);
  }

  /** Where its digits begin among those of all. */
  private get start(): number {
    return this.row * this.columns.digitsOfARow;
  }

  private text(column: number): string {
    return this.columns.texts[column]![this.row]!;
  }

  /** The flags of the three texts come in their order. */
  private optional(column: number): string | null {
    return this.isFlagged(column) ? null : this.text(column);
  }

  private isFlagged(flag: number): boolean {
    return this.text(columnOfFlags).charAt(flag) === 't';
  }

  private stamp(place: number): string {
    return this.columns.digits.slice(this.start + place, this.start + place + digitsOfAStamp);
  }

  private stampOfChange(place: number): string {
    if (this.columns.digitsOfARow < digitsOfAll)
      throw new Error(`the times of the changes of ${this.id} were not read`);
    return this.stamp(place);
  }
}
