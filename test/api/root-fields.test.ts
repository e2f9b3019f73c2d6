import { beforeAll, expect, test } from '@jest/globals';
import { graphql, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  Mutation,
  Query,
  Resolver,
  UseMiddleware,
} from 'type-graphql';
import { createSchema } from '../../src/api/schema.js';
import { Forbidden, Unauthenticated } from '../../src/fault.js';

let answered: string[] = [];
let given: unknown;

@ArgsType()
class Addends {
  @Field(() => Number)
  one!: number;

  @Field(() => Number, { defaultValue: 2 })
  other!: number;
}

@Resolver()
class Sums {
  private readonly start = 10;

  @Authorized('reader')
  @Query(() => Number)
  plus(@Ctx() context: { add: number }, @Arg('one', () => Number) one: number): number {
    return this.start + context.add + one;
  }

  @Authorized('reader', 'admin')
  @Query(() => Number)
  async sum(@Args(() => Addends) addends: Addends): Promise<number> {
    given = addends;
    return Promise.resolve(this.start + addends.one + addends.other);
  }

  @Authorized('reader')
  @Query(() => Number)
  part(@Ctx('add') add: number): number {
    return this.start + add;
  }

  @Authorized('admin')
  @Mutation(() => Number)
  set(@Arg('to', () => Number) to: number): number {
    answered.push('set');
    return to;
  }

  @Authorized('reader')
  @Query(() => Number)
  checked(
    @Arg('one', () => Number, { validateFn: () => void answered.push('checked') }) one: number,
  ): number {
    return one;
  }

  @Authorized('admin')
  @Mutation(() => Number)
  @UseMiddleware(async (_, next) => {
    answered.push('before');
    return next();
  })
  watched(): number {
    answered.push('answered');
    return this.start;
  }
}

let schema: GraphQLSchema;
beforeAll(async () => {
  schema = await createSchema({ resolvers: new Map([[Sums, new Sums()]]), oneOf: [] });
});

const ask = async (source: string, contextValue: object) => graphql({ schema, source, contextValue });

test('a field is asked with its arguments and its context, on its resolver', async () => {
  const { data } = await ask('{ plus(one: 1) sum(one: 1) }', { role: 'reader', add: 5 });
  expect(data).toEqual({ plus: 16, sum: 13 });
  expect(given).not.toBeInstanceOf(Addends); // that is what nobody waits for
});

test('and waited for only if it waits itself', () => {
  const info = { fieldName: '' } as never;
  const resolve = (root: GraphQLObjectType | null | undefined, name: string, args: object) =>
    root!.getFields()[name]!.resolve!(undefined, args, { role: 'admin', add: 5 }, info);
  expect(resolve(schema.getMutationType(), 'set', { to: 3 })).toBe(3);
  expect(resolve(schema.getQueryType(), 'sum', { one: 1, other: 2 })).toBeInstanceOf(Promise);
});

test('by whoever has one of its roles', async () => {
  answered = [];
  const [nobody, reader] = [
    await ask('{ sum(one: 1) }', {}),
    await ask('mutation { set(to: 1) }', { role: 'reader' }),
  ];
  expect(nobody.errors?.map(({ originalError }) => originalError)).toEqual([expect.any(Unauthenticated)]);
  expect(reader.errors?.map(({ originalError }) => originalError)).toEqual([expect.any(Forbidden)]);
  expect(answered).toEqual([]);
});

test('what asks for more than that is asked by type-graphql', async () => {
  expect((await ask('{ part }', { role: 'reader', add: 5 })).data).toEqual({ part: 15 });
  answered = [];
  expect((await ask('mutation { watched }', { role: 'admin' })).data).toEqual({ watched: 10 });
  expect(answered).toEqual(['before', 'answered']);
  answered = [];
  expect((await ask('{ checked(one: 1) }', { role: 'reader' })).data).toEqual({ checked: 1 });
  expect(answered).toEqual(['checked']);
});

test('a mutation begins only while its caller may go on; queries do not ask', async () => {
  answered = [];
  const may = [undefined, Promise.resolve(), Promise.reject(new Unauthenticated('revoked'))];
  const mayGoOn = () => may.shift();
  const { data, errors } = await ask('mutation { a: watched b: watched }', { role: 'admin', mayGoOn });
  expect([data, errors]).toEqual([{ a: 10, b: 10 }, undefined]); // type-graphql asks these
  const sets = await ask('mutation { a: set(to: 1) b: set(to: 2) c: set(to: 3) }', {
    role: 'admin',
    mayGoOn,
  });
  expect(sets.data).toBeNull();
  expect(sets.errors?.map(({ path }) => path)).toEqual([['c']]);
  expect(answered.filter((name) => name === 'set')).toHaveLength(2);
  const never = () => {
    throw new Error('asked');
  };
  expect((await ask('{ sum(one: 1) }', { role: 'reader', mayGoOn: never })).errors).toBeUndefined();
});
