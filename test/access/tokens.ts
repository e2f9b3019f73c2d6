import { afterAll, beforeAll } from '@jest/globals';
import type { Role } from '../../src/caller/role.rules.js';
import { TokenRepository } from '../../src/access/token.repository.js';
import { TokenService, type TokenRequest } from '../../src/access/token.service.js';
import { parseDuration } from '../../src/time/duration.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import pg from 'pg';

export interface MadeToken {
  readonly id: string;
  readonly text: string;
}

/** Makes tokens as the command does, without a process for each. */
export class Tokens {
  private readonly pool: pg.Pool;
  private readonly service: TokenService;

  constructor({ url }: TestDatabase) {
    this.pool = new pg.Pool({ connectionString: url, max: 2 });
    // The end of its database may overtake that of its connections.
    this.pool.on('error', () => undefined);
    this.service = new TokenService(new TokenRepository(this.pool));
  }

  async create(
    name: string,
    role: Role,
    { grants = [], expiresIn }: { grants?: string[]; expiresIn?: string } = {},
  ): Promise<MadeToken> {
    const request: TokenRequest = {
      name,
      role,
      grants,
      expiresIn: expiresIn === undefined ? undefined : parseDuration(expiresIn),
    };
    const { text, token } = await this.service.create(request);
    return { id: token.id, text };
  }

  async revoke(id: string): Promise<void> {
    await this.service.revoke(id);
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

/** A database with tokens, for the tests of a file. */
export function useTokens(): { readonly database: TestDatabase; readonly tokens: Tokens } {
  const opened = {} as { database: TestDatabase; tokens: Tokens };
  beforeAll(async () => {
    opened.database = await createTestDatabase();
    opened.tokens = new Tokens(opened.database);
  });
  afterAll(async () => {
    await opened.tokens.close();
    await opened.database.drop();
  });
  return opened;
}
