import type { Caller } from '../caller/caller.js';
import { statementTimeoutMillis } from '../database/deadlines.js';
import { asFault, Overdue, tellsOfALostSession } from '../database/faults.js';
import type { Pool, PoolClient, QueryConfig } from '../database/pool.js';
import { PreparedStatements } from '../database/prepared-statements.js';
import { asTexts, sendBehind, type Texts } from '../database/send.js';
import type { Settings } from '../database/settings.js';
import { textArray } from '../database/text-array.js';
import { connect, goesOn } from '../database/transaction.js';
import { OutcomeUnknown } from '../fault.js';
import type { Advance } from './advance.rules.js';
import type { Advanced } from './locked-states.rules.js';
import { advancePlain, advancePlainOne, placesTold, settingsOf } from './plain-advances.sql.js';
import { fromStamp, toTimestamp } from './row.sql.js';
import type { ScopeState } from './scope-state.rules.js';
import { unitParameters, unitTexts } from './unit-match.sql.js';

export interface PlainAdvance {
  readonly advance: Advance;
  readonly caller: Caller;
}

export interface PlainlyAdvanced {
  readonly result: Advanced;
  readonly now: Temporal.Instant;
}

/** Whether an advance is to make the state: the statement has no word for that. */
export function expectsNone({ expected }: Advance): boolean {
  return expected === null;
}

/** Nearly every advance: its unit has a row of its own, nobody has locked it, and it goes forward. */
export class PlainAdvancesRepository {
  private readonly pool: Pool;
  private readonly timeoutMillis: number;
  private readonly settings: Settings;
  private readonly statements = new PreparedStatements();

  constructor(pool: Pool, timeoutMillis = statementTimeoutMillis) {
    this.pool = pool;
    this.timeoutMillis = timeoutMillis;
    this.settings = settingsOf(timeoutMillis);
  }

  /**
   * Advances what can be advanced without more ado, of different units, in one trip. The others (undefined) are as they were:
   * `LockedStatesRepository` decides on them.
   *
   * @throws Unavailable when the database is at fault; nothing was done
   * @throws OutcomeUnknown when the connection broke meanwhile
   */
  async advance(asked: readonly PlainAdvance[]): Promise<(PlainlyAdvanced | undefined)[]> {
    return this.send(asked, false);
  }

  /**
   * The same for advances that are one whole: undefined where one of them needs more ado, and none was done.
   *
   * @throws Unavailable | OutcomeUnknown
   */
  async advanceAll(
    advances: readonly Advance[],
    caller: Caller,
  ): Promise<{ results: Advanced[]; now: Temporal.Instant } | undefined> {
    if (advances.length === 0 || advances.some(expectsNone)) return undefined;
    const done = await this.send(
      advances.map((advance) => ({ advance, caller })),
      true,
    );
    const [first] = done;
    return first && { results: done.map((each) => each!.result), now: first.now };
  }

  private async send(
    asked: readonly PlainAdvance[],
    isWhole: boolean,
  ): Promise<(PlainlyAdvanced | undefined)[]> {
    const results = new Array<PlainlyAdvanced | undefined>(asked.length).fill(undefined);
    const [row] = await this.ask(asked.length === 1 ? one(asked[0]!) : many(asked, isWhole));
    const [advanced, updated] = row ?? [];
    if (!advanced) return results;
    const now = fromStamp(updated!); // of all: the statement reads the clock once
    for (const told of advanced.split(',')) {
      const place = Number.parseInt(told) - 1; // what is told begins with it
      const state = new AdvancedState(asked[place]!.advance, told, now);
      results[place] = { result: { outcome: 'ADVANCED', backfilled: false, state }, now };
    }
    return results;
  }

  private async ask(statement: QueryConfig): Promise<Texts[]> {
    for (;;) {
      const client = await connect(this.pool);
      let settings: QueryConfig;
      try {
        settings = await this.settings.knownTo(client);
      } catch (error) {
        client.release(tellsOfALostSession(error)); // no advance was on its way
        if (this.isOfANameOnly(error)) continue;
        throw asFault(error);
      }
      const startedAt = performance.now();
      try {
        const { rows } = await sendBehind<Texts>(client, settings, this.statements.named(statement));
        client.release();
        return rows;
      } catch (error) {
        await this.giveUp(client, error, performance.now() - startedAt);
      }
    }
  }

  /** Returns where the statement is to be sent once more. */
  private async giveUp(client: PoolClient, error: unknown, tookMillis: number): Promise<void> {
    const isLost = !(await goesOn(client, error)); // the statement was the COMMIT
    client.release(isLost);
    if (isLost)
      throw new OutcomeUnknown('the connection broke while an advance was on its way', { cause: error });
    if (this.isOfANameOnly(error)) return;
    const fault = asFault(error);
    // It waits for no row: whoever has locked the table keeps the others waiting as well, however they ask.
    if (fault !== error && tookMillis >= this.timeoutMillis) throw new Overdue(error);
    throw fault;
  }

  private isOfANameOnly(error: unknown): boolean {
    return [this.settings, this.statements].map((named) => named.isAtFault(error)).includes(true);
  }
}

function one({ advance, caller }: PlainAdvance): QueryConfig {
  const { unit, lastProcessedTimestamp, expected } = advance;
  const values = [
    ...unitTexts(unit),
    ...[lastProcessedTimestamp, expected].map((time) => time && toTimestamp(time)),
    ...[caller.caller, caller.requestId],
  ];
  return { ...advancePlainOne, values, ...asTexts };
}

function many(asked: readonly PlainAdvance[], isWhole: boolean): QueryConfig {
  const advances = asked.map(({ advance }) => advance);
  const callers = isWhole ? [asked[0]!.caller] : asked.map(({ caller }) => caller);
  const names = callers.map(({ caller }) => caller);
  const values = [
    ...unitParameters(advances.map(({ unit }) => unit)).map(textArray),
    textArray(advances.map(({ lastProcessedTimestamp }) => toTimestamp(lastProcessedTimestamp))),
    expectations(advances),
    textArray(names.every((name) => name === names[0]) ? names.slice(0, 1) : names),
    textArray(callers.map(({ requestId }) => requestId)),
    isWhole,
  ];
  return { ...advancePlain, values, ...asTexts };
}

/** Mostly there are none; a list that is too short is filled up with nulls. */
function expectations(advances: readonly Advance[]): (string | null)[] {
  if (advances.every(({ expected }) => !expected)) return [];
  return advances.map(({ expected }) => (expected ? toTimestamp(expected) : null));
}

/** A state as its advance left it, which is mostly not asked for. */
class AdvancedState implements ScopeState {
  private readonly advance: Advance;
  private readonly told: string;
  private readonly now: Temporal.Instant;
  readonly active = true;
  readonly movedByOperator = false;

  /** @param told of it by the statement, see `placesTold` */
  constructor(advance: Advance, told: string, now: Temporal.Instant) {
    this.advance = advance;
    this.told = told;
    this.now = now;
  }

  get id(): number {
    return Number(this.part('id'));
  }

  get scopeId(): string {
    return this.advance.unit.scopeId;
  }

  get scopeKey(): string {
    return this.advance.unit.scopeKey;
  }

  get collector(): string {
    return this.advance.unit.collector;
  }

  get fetcher(): string {
    return this.advance.unit.fetcher;
  }

  get lastProcessedTimestamp(): Temporal.Instant {
    return this.advance.lastProcessedTimestamp;
  }

  get scopeActivationToggleDate(): Temporal.Instant {
    return fromStamp(this.part('toggled'));
  }

  get lastAdvancedAt(): Temporal.Instant {
    return this.now;
  }

  get updatedAt(): Temporal.Instant {
    return this.now;
  }

  get version(): number {
    return Number(this.part('version'));
  }

  get revision(): number {
    return Number(this.part('revision'));
  }

  private part(name: keyof typeof placesTold): string {
    return this.told.split(' ')[placesTold[name]]!;
  }
}
