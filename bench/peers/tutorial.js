// As tutorials put the three together: a fork of the entity manager for each request, `findOne`, change, `flush`. A version
// property keeps two requests from overwriting each other. Decorators are called by hand: this is JavaScript.
import 'reflect-metadata';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { defineEntity, MikroORM, p } from '@mikro-orm/postgresql';
import * as tg from 'type-graphql';
import { listening } from './listening.js';

const ScopeStateEntity = defineEntity({
  name: 'ScopeState',
  tableName: 'cloudkitty_storage_states',
  properties: {
    id: p.integer().primary(),
    scopeId: p.string().fieldName('identifier'),
    scopeKey: p.string().nullable(),
    collector: p.string().nullable(),
    fetcher: p.string().nullable(),
    lastProcessedTimestamp: p.datetime(),
    active: p.boolean().default(true),
    version: p.integer().version(),
    updatedAt: p.datetime().onUpdate(() => new Date()),
    lastAdvancedAt: p.datetime().nullable(),
  },
});

const nullable = { nullable: true };
const CollectionUnitInput = inputType('CollectionUnitInput', {
  scopeId: [() => String],
  scopeKey: [() => String],
  collector: [() => String],
  fetcher: [() => String],
});
const ScopeState = objectType('ScopeState', {
  id: [() => tg.ID],
  scopeId: [() => String],
  scopeKey: [() => String, nullable],
  collector: [() => String, nullable],
  fetcher: [() => String, nullable],
  lastProcessedTimestamp: [() => tg.GraphQLISODateTime],
  active: [() => Boolean],
  version: [() => tg.Int],
});
const ScopeStateFilter = inputType('ScopeStateFilter', {
  collectors: [() => [String], nullable],
  active: [() => Boolean, nullable],
});
const PageInfo = objectType('PageInfo', {
  hasNextPage: [() => Boolean],
  endCursor: [() => String, nullable],
});
const ScopeStateConnection = objectType('ScopeStateConnection', {
  nodes: [() => [ScopeState]],
  pageInfo: [() => PageInfo],
});
const payload = (name) =>
  objectType(name, { outcome: [() => String], scopeState: [() => ScopeState, nullable] });
const CheckScopeStatePayload = payload('CheckScopeStatePayload');
const AdvanceScopeStatePayload = payload('AdvanceScopeStatePayload');
const AdvanceScopeStatesPayload = objectType('AdvanceScopeStatesPayload', {
  results: [() => [AdvanceScopeStatePayload]],
});
const CheckScopeStateInput = inputType('CheckScopeStateInput', { unit: [() => CollectionUnitInput] });
const AdvanceScopeStateInput = inputType('AdvanceScopeStateInput', {
  unit: [() => CollectionUnitInput],
  lastProcessedTimestamp: [() => tg.GraphQLISODateTime],
});
const AdvanceScopeStatesInput = inputType('AdvanceScopeStatesInput', {
  advances: [() => [AdvanceScopeStateInput]],
});

class ScopeStateResolver {
  scopeState(unit, { em }) {
    return em.findOne(ScopeStateEntity, { ...unit });
  }

  async scopeStates(filter, first, after, { em }) {
    const place = after && JSON.parse(after);
    const where = {
      ...(filter?.collectors && { collector: { $in: filter.collectors } }),
      ...(typeof filter?.active === 'boolean' && { active: filter.active }),
      ...(place && {
        $or: [{ scopeId: { $gt: place[0] } }, { scopeId: place[0], id: { $gt: place[1] } }],
      }),
    };
    const rows = await em.find(ScopeStateEntity, where, {
      orderBy: { scopeId: 'asc', id: 'asc' },
      limit: first + 1,
    });
    const nodes = rows.slice(0, first);
    const end = nodes.at(-1);
    return {
      nodes,
      pageInfo: {
        hasNextPage: rows.length > first,
        endCursor: end ? JSON.stringify([end.scopeId, end.id]) : null,
      },
    };
  }

  async checkScopeState({ unit }, { em }) {
    const found = await em.findOne(ScopeStateEntity, { ...unit });
    if (found) return { outcome: 'FOUND', scopeState: found };
    const unowned = { scopeId: unit.scopeId, scopeKey: null, collector: null, fetcher: null };
    const legacy = await em.findOne(ScopeStateEntity, unowned);
    if (!legacy) return { outcome: 'UNKNOWN' };
    Object.assign(legacy, unit);
    await em.flush();
    return { outcome: 'BACKFILLED', scopeState: legacy };
  }

  async advanceScopeState(input, { em }) {
    const result = await change(em, input);
    await em.flush();
    return result;
  }

  async advanceScopeStates({ advances }, { em }) {
    const results = [];
    for (const input of advances) results.push(await change(em, input));
    await em.flush();
    return { results };
  }
}

async function change(em, { unit, lastProcessedTimestamp }) {
  const state = await em.findOne(ScopeStateEntity, { ...unit });
  if (!state) return { outcome: 'STALE' };
  if (!state.active) return { outcome: 'INACTIVE', scopeState: state };
  if (lastProcessedTimestamp <= state.lastProcessedTimestamp) {
    return { outcome: 'REGRESSION', scopeState: state };
  }
  state.lastProcessedTimestamp = lastProcessedTimestamp;
  state.lastAdvancedAt = new Date();
  return { outcome: 'ADVANCED', scopeState: state };
}

const query = (name, type, options) => decorate(name, tg.Query(type, options));
const mutation = (name, type) => decorate(name, tg.Mutation(type));
tg.Resolver()(ScopeStateResolver);
query('scopeState', () => ScopeState, nullable);
parameters(
  'scopeState',
  tg.Arg('unit', () => CollectionUnitInput),
);
query('scopeStates', () => ScopeStateConnection);
parameters(
  'scopeStates',
  tg.Arg('filter', () => ScopeStateFilter, nullable),
  tg.Arg('first', () => tg.Int, { defaultValue: 100 }),
  tg.Arg('after', () => String, nullable),
);
mutation('checkScopeState', () => CheckScopeStatePayload);
parameters(
  'checkScopeState',
  tg.Arg('input', () => CheckScopeStateInput),
);
mutation('advanceScopeState', () => AdvanceScopeStatePayload);
parameters(
  'advanceScopeState',
  tg.Arg('input', () => AdvanceScopeStateInput),
);
mutation('advanceScopeStates', () => AdvanceScopeStatesPayload);
parameters(
  'advanceScopeStates',
  tg.Arg('input', () => AdvanceScopeStatesInput),
);

const orm = await MikroORM.init({
  entities: [ScopeStateEntity],
  clientUrl: process.env.DATABASE_URL,
  pool: { max: 20, idleTimeoutMillis: 0 },
  forceUtcTimezone: true,
});
const schema = await tg.buildSchema({ resolvers: [ScopeStateResolver], validate: false });
const server = new ApolloServer({ schema, csrfPrevention: false });
const { url } = await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: 0 },
  context: () => Promise.resolve({ em: orm.em.fork() }),
});
listening(new URL(url).port);

function decorate(name, decorator) {
  decorator(ScopeStateResolver.prototype, name);
}

/** The arguments in their order; the context comes last. */
function parameters(name, ...decorators) {
  [...decorators, tg.Ctx()].forEach((decorator, place) =>
    decorator(ScopeStateResolver.prototype, name, place),
  );
}

function objectType(name, fields) {
  return withFields(tg.ObjectType(), name, fields);
}

function inputType(name, fields) {
  return withFields(tg.InputType(), name, fields);
}

function withFields(decorator, name, fields) {
  const type = { [name]: class {} }[name];
  decorator(type);
  for (const [field, [typeOf, options = {}]] of Object.entries(fields)) {
    tg.Field(typeOf, options)(type.prototype, field);
  }
  return type;
}
