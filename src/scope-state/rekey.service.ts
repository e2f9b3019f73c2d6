import type { CallContext } from '../caller/caller.js';
import { cover } from '../caller/grant.rules.js';
import { checkUnit, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { Log } from '../log.js';
import type { Rekeyed, RekeyOutcome, RekeyRepository } from './rekey.repository.js';
import { checkReason } from './selection.rules.js';

/** What a rekey came to. */
export interface RekeyResult extends Omit<Rekeyed, 'outcome'> {
  outcome: RekeyOutcome | 'FORBIDDEN';
}

export class RekeyService {
  private readonly repository: RekeyRepository;
  private readonly log: Log;

  constructor(repository: RekeyRepository, log: Log) {
    this.repository = repository;
    this.log = log;
  }

  /** Moves a state to another unit, its timestamp with it. Both have to be granted. */
  async rekey(
    id: bigint,
    unit: CollectionUnit,
    reason: string,
    { caller, grants }: CallContext,
  ): Promise<RekeyResult> {
    checkUnit(unit, 'input.unit');
    checkReason(reason, 'input.reason');
    if (!cover(grants, unit)) return { outcome: 'FORBIDDEN', seen: undefined };
    const rekey = { event: 'rekey', row: Number(id), unit, reason, ...caller };
    // Announced before it is done: should its end never be known, the log still says who meant to do it, and why.
    this.log.info(rekey, 'rekeying a state');
    const author = { ...caller, reason, operation: crypto.randomUUID() };
    const rekeyed = await this.repository.rekey(id, unit, author, grants);
    this.log.info({ ...rekey, outcome: rekeyed.outcome }, 'a state was to be rekeyed');
    return rekeyed;
  }
}
