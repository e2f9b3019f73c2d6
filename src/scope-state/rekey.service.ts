import type { Caller } from '../caller/caller.js';
import { checkUnit, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { Log } from '../log.js';
import type { Rekeyed, RekeyRepository } from './rekey.repository.js';
import { checkReason } from './selection.rules.js';

export class RekeyService {
  private readonly repository: RekeyRepository;
  private readonly log: Log;

  constructor(repository: RekeyRepository, log: Log) {
    this.repository = repository;
    this.log = log;
  }

  /** Moves a state to another unit, its timestamp with it. */
  async rekey(id: bigint, unit: CollectionUnit, reason: string, caller: Caller): Promise<Rekeyed> {
    checkUnit(unit, 'input.unit');
    checkReason(reason, 'input.reason');
    const rekey = { event: 'rekey', row: Number(id), unit, reason, ...caller };
    // Announced before it is done: should its end never be known, the log still says who meant to do it, and why.
    this.log.info(rekey, 'rekeying a state');
    const rekeyed = await this.repository.rekey(id, unit, {
      ...caller,
      reason,
      operation: crypto.randomUUID(),
    });
    this.log.info({ ...rekey, outcome: rekeyed.outcome }, 'a state was to be rekeyed');
    return rekeyed;
  }
}
