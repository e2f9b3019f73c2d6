/** Why a line can't be imported; the others still can. */
export class BadField extends Error {
  override readonly name = 'BadField';
  /** empty where the whole line is at fault */
  readonly column: string;

  constructor(column: string, reason: string) {
    super(reason);
    this.column = column;
  }
}
