import type { Texts } from '../database/send.js';
import { fromStamp, integerAt, lastProcessed } from './row.sql.js';
import type { ShownState } from './scope-state.rules.js';

/** What stands between the texts of rows. The units of our callers never have it; those of other writers may. */
const usualSeparator = '\u0001';

const textsOfARow = 5;

/** Where values begin among the digits of a row, which start with the stamp of its last processed timestamp. */
const places = { version: 16, id: 24, end: 32 } as const;
/** What follows, but not in most rows: whether it is inactive, and which texts of its unit are null. */
const flags = { inactive: 0, nulls: 2, end: 8 } as const;
const digitsOfAStamp = 16;

/**
 * The first two columns of a statement that answers one row: how many rows `s` has, and all of them in one text. A row, and
 * each of its fields, costs the driver more than what is in it (bench/NOTES.md). Of each row there are the four texts of its unit, and
 * hexadecimal digits of all else.
 *
 * @param separator SQL of a parameter, the one that `readPacked` gives
 * @param sorted how the rows are, `order by` included
 * @param timesOfChanges whether states tell when they were changed, too
 */
export function packed(
  separator: string,
  { sorted, timesOfChanges }: { sorted: string; timesOfChanges: boolean },
): string {
  const optional = ['s.scope_key', 's.collector', 's.fetcher'];
  const isUnusual = ['not s.active', ...optional.map((column) => `${column} is null`)];
  const base = 'timestamp_send(s.last_processed_timestamp) || int4send(s.version) || int4send(s.id)';
  const flagged = [base, ...isUnusual.map((condition) => `boolsend(${condition})`)].join(' || ');
  const digits = [
    `case when ${isUnusual.join(' or ')} then ${flagged} else ${base} end`,
    ...(timesOfChanges ? timesOfChange : []),
  ];
  const unit = ['s.identifier', ...optional.map((column) => `coalesce(${column}, '')`)];
  const row = `concat_ws(${separator}::text, ${unit.join(', ')}, encode(${digits.join(' || ')}, 'hex'))`;
  return `count(*), string_agg(${row}, ${separator}::text ${sorted})`;
}

const timesOfChange = [
  'timestamp_send(s.scope_activation_toggle_date)',
  'timestamp_send(s.updated_at)',
  `coalesce(timestamp_send(s.last_advanced_at), '')`,
];

/**
 * The states of such a statement, and the text in its third column.
 *
 * @param ask sends the statement with a separator; once more, with one that nobody can know, where the usual one is in a text
 */
export async function readPacked(ask: (separator: string) => Promise<Texts[]>): Promise<Packed> {
  const read = async (separator: string) => unpacked((await ask(separator))[0]!, separator);
  const answered = (await read(usualSeparator)) ?? (await read(crypto.randomUUID()));
  if (!answered) throw new Error('the rows do not have the texts that were asked for');
  return answered;
}

interface Packed {
  readonly states: ShownState[];
  readonly beside: string;
}

/** undefined where a text has the separator: there are more texts, then, than the rows have. */
function unpacked([count, rows, beside]: Texts, separator: string): Packed | undefined {
  const texts = rows?.split(separator) ?? [];
  const length = Number(count);
  if (texts.length !== length * textsOfARow) return undefined;
  const states = Array.from({ length }, (_, row) => new PackedState(texts, row * textsOfARow));
  return { states, beside: beside! };
}

/** Each value is made where it is asked for. */
class PackedState implements ShownState {
  private readonly texts: readonly string[];
  private readonly first: number;

  constructor(texts: readonly string[], first: number) {
    this.texts = texts;
    this.first = first;
  }

  get scopeId(): string {
    return this.texts[this.first]!;
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

  get lastProcessedTimestamp(): Temporal.Instant {
    return lastProcessed(this.digits);
  }

  get version(): number {
    return integerAt(this.digits, places.version);
  }

  get id(): number {
    return integerAt(this.digits, places.id);
  }

  get active(): boolean {
    return !this.isFlagged(flags.inactive);
  }

  get scopeActivationToggleDate(): Temporal.Instant {
    return fromStamp(this.stampOfChange(0));
  }

  get updatedAt(): Temporal.Instant {
    return fromStamp(this.stampOfChange(1));
  }

  get lastAdvancedAt(): Temporal.Instant | null {
    const stamp = this.stampOfChange(2);
    return stamp === '' ? null : fromStamp(stamp);
  }

  private get digits(): string {
    return this.texts[this.first + textsOfARow - 1]!;
  }

  /** Whether it has flags: whatever else follows has the length of stamps. */
  private get hasFlags(): boolean {
    return (this.digits.length - places.end) % digitsOfAStamp !== 0;
  }

  private isFlagged(flag: number): boolean {
    return this.hasFlags && this.digits.charAt(places.end + flag + 1) === '1';
  }

  private optional(place: number): string | null {
    return this.isFlagged(flags.nulls + 2 * (place - 1)) ? null : this.texts[this.first + place]!;
  }

  private stampOfChange(place: number): string {
    const first = places.end + (this.hasFlags ? flags.end : 0);
    if (this.digits.length === first) throw new Error(`the times of the changes of ${this.id} were not read`);
    const start = first + place * digitsOfAStamp;
    return this.digits.slice(start, start + digitsOfAStamp);
  }
}
