/** What an example's variables say where only an earlier answer knows the value. */
export const placeholders = {
  id: '<the id of a state>',
  planToken: '<the planToken of the dry run>',
  endCursor: '<the endCursor of a page>',
  legacyScopeId: '<the scopeId of a legacy state>',
  changeId: '<the id of a change>',
  /** a time, so that the request can be checked without an answer, too */
  changedAt: '2026-01-01T00:00:00.000001Z',
} as const;

type Known = Partial<Record<keyof typeof placeholders, string>>;

/** Remembers what the answers said, and puts it where the next example needs it. */
export class Answers {
  readonly #known: Known = {};

  learn(answer: unknown): void {
    const found: Known = {};
    look(answer, found);
    Object.assign(this.#known, found);
  }

  /** the variables, each placeholder replaced if an answer has told its value */
  fill<Variables>(variables: Variables): Variables {
    return JSON.parse(JSON.stringify(variables), (_key, value: unknown) => {
      const name = (Object.keys(placeholders) as (keyof Known)[]).find((key) => placeholders[key] === value);
      return name === undefined ? value : (this.#known[name] ?? value);
    }) as Variables;
  }
}

/** The first of each in the answer. A plan is applied with its dry run's token, not with one of a later answer. */
function look(value: unknown, found: Known): void {
  if (typeof value !== 'object' || value === null) return;
  const object = value as Record<string, unknown>;
  const take = (name: keyof Known, told: unknown) => {
    if (typeof told === 'string') found[name] ??= told;
  };
  take('id', object['id']);
  take('endCursor', object['endCursor']);
  take('changeId', object['changeId']);
  take('changedAt', object['changedAt']);
  if (object['outcome'] === 'PLANNED') take('planToken', object['planToken']);
  if (object['legacy'] === true) take('legacyScopeId', object['scopeId']);
  for (const inner of Object.values(object)) look(inner, found);
}
