import { allUnits } from '../caller/grant.rules.js';
import { roles } from '../caller/role.rules.js';
import { readGrants, type Token } from './token.rules.js';
import type { StoredToken, TokenRepository } from './token.repository.js';

/** So long is believed what the table said: a revoked token is refused by every server within two seconds. */
const believedMillis = 1_000;

/** So old it is asked for again, if it is still in use: nobody has to wait for the answer when its time is over. */
const freshMillis = 500;

/** Of each kind, so that ids that somebody makes up push no real ones out. */
const mostEntries = 10_000;

/** One statement's; what is asked meanwhile is in the next one. */
const mostIds = 1_000;

/** What is known of an id. */
export interface Known {
  readonly digest: Buffer;
  /** undefined: it is not in force */
  readonly token: Token | undefined;
}

interface Entry {
  readonly known: Known | undefined;
  /** on this process's own clock, which nobody sets */
  readonly askedAt: number;
  readonly endsAt: number;
}

/**
 * Finds tokens by their ids, and remembers for a moment what it found: hot paths ask the database twice a second and
 * token. What is asked while a statement is under way goes into the next one, however much that is.
 */
export class TokenLookup {
  private readonly repository: Pick<TokenRepository, 'byIds'>;
  private readonly now: () => number;
  private readonly found = new Map<string, Entry>();
  private readonly missed = new Map<string, Entry>();
  private readonly asking = new Map<string, PromiseWithResolvers<Entry>>();
  private waiting: string[] = [];
  private isAsking = false;

  constructor(repository: Pick<TokenRepository, 'byIds'>, now: () => number = () => performance.now()) {
    this.repository = repository;
    this.now = now;
  }

  /** At once where it is remembered. @throws Unavailable when the database doesn't say, and what is remembered is too old */
  find(id: string): Known | undefined | Promise<Known | undefined> {
    const now = this.now();
    const entry = this.remembered(id, now);
    if (!entry) {
      return this.askedSince(now - believedMillis, id).then((asked) => knownAt(this.now(), asked));
    }
    if (isToBeRenewed(entry, now)) this.ask(id).catch(() => undefined); // believed until its time is over
    return knownAt(now, entry);
  }

  /** Whoever joins others who have waited long gets no answer that is older than what is believed. */
  private async askedSince(earliest: number, id: string): Promise<Entry> {
    const entry = await this.ask(id);
    return entry.askedAt > earliest ? entry : this.ask(id);
  }

  private remembered(id: string, now: number): Entry | undefined {
    const entry = this.found.get(id) ?? this.missed.get(id);
    if (!entry) return undefined;
    return now - entry.askedAt < believedMillis || now >= entry.endsAt ? entry : undefined;
  }

  private ask(id: string): Promise<Entry> {
    const asked = this.asking.get(id);
    if (asked) return asked.promise;
    const answer = Promise.withResolvers<Entry>();
    this.asking.set(id, answer);
    this.waiting.push(id);
    if (!this.isAsking) void this.askAll();
    return answer.promise;
  }

  private async askAll(): Promise<void> {
    this.isAsking = true;
    while (this.waiting.length > 0) {
      const ids = this.waiting.slice(0, mostIds);
      this.waiting = this.waiting.slice(mostIds);
      await this.askFor(ids);
    }
    this.isAsking = false;
  }

  private async askFor(ids: string[]): Promise<void> {
    const askedAt = this.now();
    const settle = (id: string, how: (answer: PromiseWithResolvers<Entry>) => void) => {
      how(this.asking.get(id)!);
      this.asking.delete(id);
    };
    try {
      const stored = new Map((await this.repository.byIds(ids)).map((token) => [token.id, token]));
      for (const id of ids) {
        const entry = entryOf(stored.get(id), askedAt);
        this.remember(id, entry);
        settle(id, ({ resolve }) => resolve(entry));
      }
    } catch (error) {
      for (const id of ids) settle(id, ({ reject }) => reject(error));
    }
  }

  private remember(id: string, entry: Entry): void {
    const [into, other] = entry.known ? [this.found, this.missed] : [this.missed, this.found];
    other.delete(id);
    into.delete(id); // the latest is the last
    into.set(id, entry);
    if (into.size > mostEntries) into.delete(into.keys().next().value!);
  }
}

function isToBeRenewed({ known, askedAt, endsAt }: Entry, now: number): boolean {
  return known?.token !== undefined && now - askedAt >= freshMillis && now < endsAt;
}

function knownAt(now: number, { known, endsAt }: Entry): Known | undefined {
  return !known || now < endsAt ? known : { digest: known.digest, token: undefined };
}

function entryOf(stored: StoredToken | undefined, askedAt: number): Entry {
  if (!stored) return { known: undefined, askedAt, endsAt: Infinity };
  const known = { digest: stored.digest, token: stored.isRevoked ? undefined : tokenOf(stored) };
  return { known, askedAt, endsAt: askedAt + (stored.remainingMillis ?? Infinity) };
}

/** A row that is not of our making lets nobody in. */
function tokenOf({ id, name, role: text, grants: stored }: StoredToken): Token | undefined {
  const role = roles.find((known) => known === text);
  const grants = role === 'admin' ? allUnits : readGrants(stored);
  return role && grants && { id, name, role, grants };
}
