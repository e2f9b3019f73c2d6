import { defineEntity, p } from '@mikro-orm/core';

/** CloudKitty's table, with scopestate's columns beside CloudKitty's: see migrations/ for its story. */
export const ScopeStateEntity = defineEntity({
  name: 'ScopeStateEntity',
  tableName: 'cloudkitty_storage_states',
  properties: {
    id: p.integer().primary(),
    identifier: p.string().columnType('varchar(256)').collation('C'),
    scopeKey: p.string().columnType('varchar(40)').collation('C').nullable(),
    collector: p.string().columnType('varchar(40)').collation('C').nullable(),
    fetcher: p.string().columnType('varchar(40)').collation('C').nullable(),
    lastProcessedTimestamp: p.string().columnType('timestamp(6)'),
    scopeActivationToggleDate: p
      .string()
      .columnType('timestamp(6)')
      .defaultRaw(`timezone('utc'::text, now())`),
    active: p.boolean().default(true),
    version: p.integer().default(1).comment('raised by each change of the row'),
    revision: p
      .integer()
      .default(1)
      .comment('raised like version, but not by advancing: plan tokens are made of it'),
    movedByOperator: p
      .boolean()
      .default(false)
      .comment(
        'reset or rekeyed since its unit was last checked or advanced: an advance without "expected" is STALE',
      ),
    updatedAt: p.string().columnType('timestamp(6)').defaultRaw(`timezone('utc'::text, clock_timestamp())`),
    lastAdvancedAt: p.string().columnType('timestamp(6)').nullable(),
    lastProcessedDay: p
      .string()
      .columnType('date')
      .nullable()
      .generated('((last_processed_timestamp)::date) stored')
      .comment('so that an index can tell who is behind, and advances stay HOT'),
  },
  checks: [
    {
      name: 'scopestate_answerable_times',
      // As PostgreSQL writes it back, so that the two can be compared.
      expression: ['last_processed_timestamp', 'scope_activation_toggle_date']
        .flatMap((column) => [
          `(${column} >= '1970-01-01 00:00:00'::timestamp without time zone)`,
          `(${column} < '10000-01-01 00:00:00'::timestamp without time zone)`,
        ])
        .join(' AND '),
    },
  ],
  indexes: [
    { name: 'scopestate_states_of_day', properties: ['lastProcessedDay'] },
    { name: 'scopestate_states_of_collector', properties: ['collector', 'fetcher', 'scopeKey'] },
    { name: 'scopestate_states_inactive', properties: ['identifier', 'id'], where: 'NOT active' },
  ],
  uniques: [
    {
      name: 'uq_cloudkitty_storage_states_identifier',
      properties: ['identifier', 'scopeKey', 'collector', 'fetcher'],
    },
  ],
});
