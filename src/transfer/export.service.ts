import { checkFilter, type ScopeStateFilter } from '../scope-state/filter.rules.js';
import type { ExportRepository } from './export.repository.js';
import { encodeRow, headerOf, type Format } from './format.rules.js';

/** Writes states as import reads them. */
export class ExportService {
  private readonly states: ExportRepository;

  constructor(states: ExportRepository) {
    this.states = states;
  }

  /**
   * The file's text, some rows at a time; `onRead` hears how many rows there were so far.
   *
   * @throws BadInput when no stored text could match the filter
   */
  async *chunks(
    filter: ScopeStateFilter,
    format: Format,
    onRead: (rows: number) => void,
  ): AsyncGenerator<string> {
    checkFilter(filter, 'filter');
    yield headerOf(format);
    let count = 0;
    for await (const rows of this.states.states(filter)) {
      yield rows.map((row) => encodeRow(row, format)).join('');
      onRead((count += rows.length));
    }
  }
}
