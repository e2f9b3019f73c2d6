import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLInterfaceType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import 'reflect-metadata';
import { Authorized, Mutation, Query, Resolver, Subscription, type ClassType } from 'type-graphql';
import { rolesOf } from '../../src/api/authorization.js';
import { createSchema } from '../../src/api/schema.js';
import { roles, type Role } from '../../src/caller/role.rules.js';
import { unconnectedResolvers } from '../../src/resolvers.js';
import { selectorName } from '../../src/scope-state/selector.graphql.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { Tokens } from './tokens.js';

/** Who may do what: the decision, once more. A root field that is not in it fails the first test. */
const decided: Record<string, Role[]> = {
  scopeState: ['reader', 'collector', 'operator', 'admin'],
  scopeStates: ['reader', 'collector', 'operator', 'admin'],
  scopeStateAsOf: ['reader', 'collector', 'operator', 'admin'],
  scopeStateChanges: ['reader', 'collector', 'operator', 'admin'],
  node: ['reader', 'collector', 'operator', 'admin'],
  scopeStateChanged: ['reader', 'collector', 'operator', 'admin'],
  checkScopeState: ['collector', 'admin'],
  checkScopeStates: ['collector', 'admin'],
  advanceScopeState: ['collector', 'admin'],
  advanceScopeStates: ['collector', 'admin'],
  createScopeState: ['collector', 'admin'],
  setScopeActivation: ['operator', 'admin'],
  resetScopeStates: ['operator', 'admin'],
  undoScopeStateChange: ['operator', 'admin'],
  deleteScopeStates: ['admin'],
  rekeyScopeState: ['admin'],
};

interface RootField {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly field: GraphQLField<unknown, unknown>;
}

function rootFieldsOf(schema: GraphQLSchema): RootField[] {
  return (['query', 'mutation', 'subscription'] as const).flatMap((kind) => {
    const types = {
      query: schema.getQueryType(),
      mutation: schema.getMutationType(),
      subscription: schema.getSubscriptionType(),
    };
    return Object.values(types[kind]!.getFields()).map((field) => ({ kind, field }));
  });
}

/** A document that is valid, with the least that is required, made from the schema's own types. */
function documentOf({ kind, field }: RootField): string {
  const given = field.args
    .filter(({ type, defaultValue }) => type instanceof GraphQLNonNull && defaultValue === undefined)
    .map(({ name, type }) => `${name}: ${literalOf(type)}`);
  return `${kind} { ${field.name}${given.length > 0 ? `(${given.join(', ')})` : ''} ${selectionOf(field)} }`;
}

function literalOf(type: GraphQLInputType): string {
  if (type instanceof GraphQLNonNull) return literalOf(type.ofType);
  if (type instanceof GraphQLList) return `[${literalOf(type.ofType)}]`;
  if (type instanceof GraphQLEnumType) return type.getValues()[0]!.name;
  if (type instanceof GraphQLInputObjectType) {
    const fields = Object.values(type.getFields());
    const given = type.isOneOf
      ? fields.slice(0, 1)
      : fields.filter((field) => field.type instanceof GraphQLNonNull && field.defaultValue === undefined);
    return `{ ${given.map((field) => `${field.name}: ${literalOf(field.type)}`).join(', ')} }`;
  }
  const scalars: Record<string, string> = {
    DateTime: '"2026-01-01T00:00:00Z"',
    Duration: '"PT1H"',
    Boolean: 'true',
    Int: '1',
  };
  return scalars[type.name] ?? '"x"';
}

function selectionOf({ type }: GraphQLField<unknown, unknown>): string {
  const inner = type instanceof GraphQLNonNull ? (type.ofType as unknown) : type;
  return inner instanceof GraphQLObjectType || inner instanceof GraphQLInterfaceType ? '{ __typename }' : '';
}

const schema = await createSchema({
  resolvers: new Map<ClassType, object>(unconnectedResolvers.map((resolver) => [resolver, {}])),
  oneOf: [selectorName],
});
const rootFields = rootFieldsOf(schema);

test('every query, mutation and subscription has the rule that was decided', () => {
  const declared = Object.fromEntries(rootFields.map(({ field }) => [field.name, [...rolesOf(field)]]));
  expect(declared).toEqual(decided);
});

describe('each role is let through to each field, or refused', () => {
  let database: TestDatabase;
  let tokens: Tokens;
  let server: TestServer;
  const texts = new Map<Role, string>();

  beforeAll(async () => {
    database = await createTestDatabase();
    tokens = new Tokens(database);
    for (const role of roles) texts.set(role, (await tokens.create(`the ${role}`, role)).text);
    server = await startServer({ DATABASE_URL: database.url, SCOPESTATE_AUTH: 'token' });
  });
  afterAll(async () => {
    await server.stop();
    await tokens.close();
    await database.drop();
  });

  /** The codes of the errors in the answer; a stream that begins without one is left. */
  async function codesFor(root: RootField, role: Role): Promise<string[]> {
    const query = documentOf(root);
    if (root.kind !== 'subscription') {
      const { errors = [] } = await server.ask(query, {}, texts.get(role));
      return errors.map(({ extensions }) => extensions.code);
    }
    const response = await fetch(new URL('/graphql/stream', server.url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${texts.get(role)!}`,
      },
      body: JSON.stringify({ query }),
    });
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return [
      ...Buffer.from(value)
        .toString()
        .matchAll(/"code":"(\w+)"/g),
    ].map(([, code]) => code!);
  }

  const table = rootFields.flatMap((root) => roles.map((role) => ({ role, root, name: root.field.name })));

  test.each(table)('$role: $name', async ({ role, root, name }) => {
    const codes = await codesFor(root, role);
    if (decided[name]!.includes(role)) {
      expect(codes).not.toContain('FORBIDDEN');
      expect(codes.filter((code) => code !== 'BAD_USER_INPUT')).toEqual([]);
    } else expect(codes).toEqual(['FORBIDDEN']);
  });

  test('a refusal says in one sentence which role is needed, under the request’s id, and nothing is done', async () => {
    const answer = await server.ask(
      'mutation { deleteScopeStates(input: { select: { all: true }, reason: "x" }) { outcome } }',
      {},
      texts.get('operator'),
    );
    expect(answer).toMatchObject({
      data: null,
      errors: [
        {
          message: 'deleteScopeStates: found the role operator; allowed: admin',
          path: ['deleteScopeStates'],
          extensions: { code: 'FORBIDDEN', requestId: expect.stringMatching(/^[\w-]{36}$/) },
        },
      ],
    });
  });
});

describe('the schema is refused', () => {
  @Resolver()
  class Forgetful {
    @Query(() => String, { description: 'x' })
    anything(): string {
      return 'secret';
    }
  }

  @Resolver()
  class Undecided {
    @Authorized()
    @Mutation(() => String, { description: 'x' })
    whatever(): string {
      return 'done';
    }

    @Authorized('boss')
    @Subscription(() => String, { topics: 'x', description: 'x' })
    news(): string {
      return 'news';
    }
  }

  const made = (...extra: ClassType[]) =>
    createSchema({
      resolvers: new Map<ClassType, object>([...unconnectedResolvers, ...extra].map((type) => [type, {}])),
      oneOf: [selectorName],
    });

  test('where a query has no rule', async () => {
    await expect(made(Forgetful)).rejects.toThrow(
      'no rule says who may use Query.anything: each needs @Authorized and roles',
    );
  });

  test('where rules name no role, or one that there is not', async () => {
    await expect(made(Undecided)).rejects.toThrow(/Mutation\.whatever, Subscription\.news/);
  });
});
