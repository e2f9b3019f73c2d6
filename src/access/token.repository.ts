import type { Grants } from '../caller/grant.rules.js';
import type { Role } from '../caller/role.rules.js';
import type { Pool, PoolClient } from '../database/pool.js';
import { refusedRightOf } from '../database/faults.js';
import { read, readAhead } from '../database/read.js';
import { inTransaction } from '../database/transaction.js';
import { OperatorError } from '../fault.js';
import { instantFromMicros } from '../time/instant.js';
import { microsOfDuration } from '../time/duration.js';
import type { TokenState } from './token.rules.js';

/** A token as the table has it; `grants` as somebody wrote them there, null for an admin. */
export interface StoredToken {
  readonly id: string;
  readonly digest: Buffer;
  readonly name: string;
  readonly role: string;
  readonly grants: unknown;
  readonly isRevoked: boolean;
  /** how long it was still in force when it was read, by the database's clock; undefined: for ever */
  readonly remainingMillis: number | undefined;
}

export interface ListedToken extends Pick<StoredToken, 'id' | 'name' | 'role' | 'grants'> {
  readonly createdAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant | undefined;
  readonly state: TokenState;
}

export interface TokenWanted {
  readonly id: string;
  readonly digest: Buffer;
  readonly name: string;
  readonly role: Role;
  /** null for an admin */
  readonly grants: Grants | null;
  readonly expiresIn: Temporal.Duration | undefined;
}

const clock = `timezone('utc', clock_timestamp())`;
const micros = (column: string) => `(extract(epoch from ${column}) * 1000000)::bigint::text`;

/** Its end came before anybody revoked it: a token of the same name revokes an expired one as of its end. */
const state = `case
  when revoked_at is not null and (expires_at is null or revoked_at < expires_at) then 'revoked'
  when expires_at <= ${clock} then 'expired'
  else 'in force' end`;

interface ListedRow extends Record<string, unknown> {
  id: string;
  name: string;
  role: string;
  grants: unknown;
  state: TokenState;
  created: string;
  expires: string | null;
}

const listed = `id, name, role, grants, ${state} as state, ${micros('created_at')} as created, ${micros('expires_at')} as expires`;

/** The server's own role, as the README makes it, may only read tokens. */
export class TokenRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Those of the ids that there are. */
  async byIds(ids: readonly string[]): Promise<StoredToken[]> {
    const rows = await readAhead<
      Record<'id' | 'digest' | 'name' | 'role', string> & {
        grants: unknown;
        revoked: boolean;
        remaining: string | null;
      }
    >(
      this.pool,
      `/* Token.byIds */ select id, encode(digest, 'hex') as digest, name, role, grants,
         revoked_at is not null as revoked, ${micros(`expires_at - ${clock}`)} as remaining
       from scopestate_tokens where id = any($1::text[])`,
      [ids],
    );
    return rows.map(({ id, digest, name, role, grants, revoked, remaining }) => ({
      id,
      digest: Buffer.from(digest, 'hex'),
      name,
      role,
      grants,
      isRevoked: revoked,
      remainingMillis: remaining === null ? undefined : Number(remaining) / 1000,
    }));
  }

  /**
   * @returns undefined where a token in force has the name
   * @throws OperatorError where the database user may not
   */
  create(wanted: TokenWanted): Promise<ListedToken | undefined> {
    const { id, digest, name, role, grants, expiresIn } = wanted;
    return this.write('make', async (client) => {
      await client.query(
        `/* Token.endExpired */ update scopestate_tokens set revoked_at = expires_at
         where name = $1 and revoked_at is null and expires_at <= ${clock}`,
        [name],
      );
      const { rows } = await client.query<ListedRow>(
        `/* Token.create */ insert into scopestate_tokens (id, digest, name, role, grants, created_at, expires_at)
         select $1, decode($2, 'hex'), $3, $4, $5::jsonb, clock, clock + $6::bigint * interval '1 microsecond'
         from (select ${clock} as clock) now
         on conflict (name) where revoked_at is null do nothing
         returning ${listed}`,
        [
          id,
          digest.toString('hex'),
          name,
          role,
          grants && JSON.stringify(grants),
          expiresIn ? String(microsOfDuration(expiresIn)) : null,
        ],
      );
      return rows[0] && toListed(rows[0]);
    });
  }

  /** The latest first. */
  async list(): Promise<ListedToken[]> {
    const rows = await read<ListedRow>(
      this.pool,
      `/* Token.list */ select ${listed} from scopestate_tokens order by created_at desc, id`,
      [],
    );
    return rows.map(toListed);
  }

  /**
   * By id, or by the name of one that nobody has revoked.
   *
   * @returns undefined where there is none
   * @throws OperatorError where the database user may not
   */
  revoke(idOrName: string): Promise<ListedToken | undefined> {
    return this.write('revoke', async (client) => {
      const { rows } = await client.query<ListedRow>(
        `/* Token.revoke */ update scopestate_tokens set revoked_at = coalesce(revoked_at, ${clock})
         where id = $1 or (name = $1 and revoked_at is null) returning ${listed}`,
        [idOrName],
      );
      return rows[0] && toListed(rows[0]);
    });
  }

  private async write<T>(what: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    try {
      return await inTransaction(this.pool, work);
    } catch (error) {
      if (!refusedRightOf(error)) throw error;
      throw new OperatorError(
        `the database user may not ${what} tokens: run this with the DATABASE_URL of the owner who ran "scopestate migrate up"`,
        { cause: error },
      );
    }
  }
}

function toListed({ id, name, role, grants, state: its, created, expires }: ListedRow): ListedToken {
  return {
    id,
    name,
    role,
    grants,
    state: its,
    createdAt: instantFromMicros(BigInt(created)),
    expiresAt: expires === null ? undefined : instantFromMicros(BigInt(expires)),
  };
}
