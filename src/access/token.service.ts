import { allUnits, type Grants } from '../caller/grant.rules.js';
import { OperatorError, quoted } from '../fault.js';
import { newToken } from './token-text.js';
import type { ListedToken, TokenRepository } from './token.repository.js';
import { checkName, grantsOf, readGrants, roleOf } from './token.rules.js';

export interface TokenRequest {
  readonly name: string;
  readonly role: string;
  /** as on the command line; none: all units */
  readonly grants: readonly string[];
  readonly expiresIn: Temporal.Duration | undefined;
}

/** What an operator does with tokens. Servers notice by themselves. */
export class TokenService {
  private readonly repository: TokenRepository;

  constructor(repository: TokenRepository) {
    this.repository = repository;
  }

  /**
   * @returns the token's text, which can't be told again, and what is told of it later
   * @throws BadInput, naming the option
   * @throws OperatorError where a token in force has the name
   */
  async create(request: TokenRequest): Promise<{ text: string; token: ListedToken }> {
    const { name, expiresIn } = request;
    checkName(name, '--name');
    const role = roleOf(request.role, '--role');
    const grants = grantsOf(role, request.grants, '--grant');
    const { id, text, digest } = newToken();
    const token = await this.repository.create({
      id,
      digest,
      name,
      role,
      grants: role === 'admin' ? null : grants,
      expiresIn,
    });
    if (token) return { text, token };
    throw new OperatorError(
      `--name: found ${quoted(name)}, which a token in force has; allowed: another name, or revoke that one first`,
    );
  }

  list(): Promise<ListedToken[]> {
    return this.repository.list();
  }

  /** @throws OperatorError where there is none */
  async revoke(idOrName: string): Promise<ListedToken> {
    const token = await this.repository.revoke(idOrName);
    if (token) return token;
    throw new OperatorError(
      'there is no token of that id, and none in force of that name; "scopestate token list" shows all',
    );
  }
}

/** Which units a stored token is granted; undefined: the row is not of our making. */
export function unitsOf({ role, grants }: Pick<ListedToken, 'role' | 'grants'>): Grants | undefined {
  return role === 'admin' ? allUnits : readGrants(grants);
}
