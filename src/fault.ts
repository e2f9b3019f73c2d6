/** What is wrong with a request or with the service. What a caller must decide on is an outcome, never one of these. */

/** The request can't be taken: names the field, what was found and what is allowed. */
export class BadInput extends Error {
  override readonly name = 'BadInput';
  readonly field: string;

  constructor(field: string, found: string, allowed: string) {
    super(`${field}: found ${found}; allowed: ${allowed}`);
    this.field = field;
  }
}

/** Nobody knows who asks: no token, or one that is not in force. */
export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated';
  /** whether something was sent that should say who asks */
  readonly wasGiven: boolean;

  constructor(message: string, { wasGiven = false } = {}) {
    super(message);
    this.wasGiven = wasGiven;
  }
}

/** Who asks is known, and may not. Nothing was done. */
export class Forbidden extends Error {
  override readonly name = 'Forbidden';
}

/** The database can't be reached or takes no writes now. Nothing was done. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** The connection broke while a COMMIT was on its way: whether it was done can't be told (DESIGN.md 2.10). */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** An operator's mistake or a missing condition: one line on standard error, no stack trace, exit code 1. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}

/** Settings that can't be read: all that is wrong at once, a line each. */
export class SettingsError extends OperatorError {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** Quotes a value for an error message: escaped, and cut so that a message stays readable. */
export function quoted(value: string): string {
  const longest = 60;
  const text = JSON.stringify(value.toWellFormed());
  return text.length > longest ? `${text.slice(0, longest).toWellFormed()}…"` : text;
}

/** Names a character that can't be shown. */
export function codePointOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
