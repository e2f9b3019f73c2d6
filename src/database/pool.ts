import type { Client, Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';

/** The driver under MikroORM: what repositories send their statements through. */
export type { Client, Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow };

/** Whatever takes a statement that needs no transaction. */
export type Queryable = Pick<Client, 'query'>;
