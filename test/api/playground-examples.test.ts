import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  buildSchema,
  getOperationAST,
  getVariableValues,
  GraphQLEnumType,
  isObjectType,
  Kind,
  OperationTypeNode,
  getNullableType,
  parse,
  validate,
} from 'graphql';
import { queryText } from '../../src/api/playground/examples/example.js';
import { exampleGroups } from '../../src/api/playground/examples/examples.js';
import { Answers } from '../../src/api/playground/examples/placeholders.js';
import { useStateApi } from '../support/state-api.js';
import { newClient } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));

const examples = exampleGroups.flatMap(({ name, examples }) =>
  examples.map((example) => ({ ...example, name: `${name}: ${example.title}`, text: queryText(example) })),
);

const operationOf = (text: string) => getOperationAST(parse(text))!;

const isSubscription = (text: string) => operationOf(text).operation === OperationTypeNode.SUBSCRIPTION;

/** The one field of Query or Mutation that a request asks for. */
function fieldOf(text: string): string {
  const [selection] = operationOf(text).selectionSet.selections;
  return selection?.kind === Kind.FIELD ? selection.name.value : '';
}

/** What came of it; of a batch, joined as an example announces it; nothing for a query. */
function outcomeOf(answered: { outcome?: string; results?: { outcome: string }[] } | null) {
  return answered?.results?.map(({ outcome }) => outcome).join(', ') ?? answered?.outcome;
}

describe('each example', () => {
  test.each(examples)('$name: is valid against the schema, with its variables', ({ text, variables }) => {
    const document = parse(text);
    expect(validate(schema, document)).toEqual([]);
    const { errors } = getVariableValues(schema, operationOf(text).variableDefinitions ?? [], variables);
    expect(errors).toBeUndefined();
    expect(Object.keys(variables).sort()).toEqual(
      operationOf(text)
        .variableDefinitions!.map(({ variable }) => variable.name.value)
        .sort(),
    );
  });

  test.each(examples)('$name: says what it is for, and a mutation what to expect', (example) => {
    expect(operationOf(example.text).name!.value).toMatch(/^[A-Z]\w+$/);
    expect(example.text.startsWith(`# ${example.comment}\n`)).toBe(true);
    for (const outcome of example.outcome?.split(', ') ?? []) expect(example.comment).toContain(outcome);
    expect(operationOf(example.text).operation === OperationTypeNode.MUTATION).toBe(
      example.outcome !== undefined,
    );
  });
});

describe('together', () => {
  test('they show each query, each mutation and each subscription', () => {
    const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
      (type) => Object.keys(type!.getFields()),
    );
    expect(new Set(examples.map(({ text }) => fieldOf(text)))).toEqual(new Set(fields));
  });

  test('they show each outcome that there is', () => {
    const shown = new Map<string, Set<string>>();
    for (const { text, outcome } of examples.filter((example) => example.outcome)) {
      const payload = getNullableType(schema.getMutationType()!.getFields()[fieldOf(text)]!.type);
      const type = isObjectType(payload) && payload.getFields()['outcome']?.type;
      if (!type) continue;
      const name = getNullableType(type).toString();
      shown.set(name, (shown.get(name) ?? new Set()).add(outcome!));
    }
    const outcomes = Object.values(schema.getTypeMap()).filter(
      (type): type is GraphQLEnumType => type instanceof GraphQLEnumType && type.name.endsWith('Outcome'),
    );
    expect(outcomes.length).toBeGreaterThanOrEqual(5);
    for (const type of outcomes) {
      expect([type.name, shown.get(type.name)]).toEqual([
        type.name,
        // Whoever may do everything, as in the playground without a token, is never told FORBIDDEN.
        new Set(
          type
            .getValues()
            .map(({ name }) => name)
            .filter((name) => name !== 'FORBIDDEN'),
        ),
      ]);
    }
  });
});

describe('run from top to bottom', () => {
  let n = 0;
  const api = useStateApi(() => createTestDatabase());

  test('they answer what they announce, twice over, for the last ones clean up', async () => {
    const answers = new Answers();
    for (const round of [1, 2]) {
      await api.insertLegacy(`from-before-${round}`, '2026-01-01T00:00:00Z');
      for (const { name, text, variables, outcome } of examples) {
        if (isSubscription(text)) continue;
        const filled = answers.fill(variables);
        const answer = await api.server.ask(text, filled);
        answers.learn(answer);
        // On the first day there is no state whose id, and no page whose cursor could be filled in.
        if (round === 1 && outcome === undefined && JSON.stringify(filled).includes('<the ')) continue;
        expect([name, answer.errors]).toEqual([name, undefined]);
        expect([name, outcomeOf(answer.data![fieldOf(text)])]).toEqual([name, outcome]);
      }
    }
  });

  test.each(examples.filter(({ text }) => isSubscription(text)))(
    '$name: is sent what happens, over WebSocket',
    async ({ text, variables }) => {
      const client = newClient(api.server.url);
      const results = client.iterate({ query: text, variables });
      const first = results.next();
      let hasCome = false;
      void first.then(() => (hasCome = true));
      await until('it is sent something', async () => {
        await api.advance({
          unit: unit({ scopeId: 'playground-live' }),
          lastProcessedTimestamp: `${2000 + n++}-01-01T00:00:00Z`,
        });
        return hasCome;
      });
      expect((await first).value).toMatchObject({
        data: { scopeStateChanged: { kind: expect.any(String) } },
      });
      await results.return!();
      await client.dispose();
    },
  );
});
