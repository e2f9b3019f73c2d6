import { BadField } from './bad-field.rules.js';
import type { ImportRepository, Merged, MergeWanted } from './import.repository.js';
import { heapBound } from './heap-bound.js';
import { importRowOf, inFuture, type ImportRow } from './import-row.rules.js';
import { copyLine } from './import.sql.js';
import type { Reject, RejectsFile } from './rejects-file.js';
import { refuseIfStopped } from './stop.rules.js';
import type { Position, Source, SourceRow } from './source.js';

export interface ImportWanted extends MergeWanted {
  readonly source: Source;
  readonly rejects: RejectsFile;
  readonly onRead: (rows: number, position: Position) => void;
}

export interface ImportSummary extends Merged {
  readonly read: number;
  readonly rejected: number;
  readonly firstRejects: readonly Reject[];
}

const mostListed = 20;

/** Reads a source to its end, sets aside the lines that the rules of state refuse, and merges the others: all or nothing. */
export class ImportService {
  private readonly states: ImportRepository;

  constructor(states: ImportRepository) {
    this.states = states;
  }

  async run(wanted: ImportWanted): Promise<ImportSummary> {
    const firstRejects: Reject[] = [];
    let read = 0;
    let rejected = 0;
    const boundHeap = heapBound();
    const accepted = async function* (batches: AsyncIterable<Judged[]>) {
      for await (const batch of batches) {
        refuseIfStopped(wanted.signal);
        boundHeap();
        const refused = batch.flatMap(rejectOf);
        read += batch.length;
        rejected += refused.length;
        firstRejects.push(...refused.slice(0, mostListed - firstRejects.length));
        await wanted.rejects.write(refused);
        wanted.onRead(read, wanted.source.position);
        yield batch.map(({ line, row }) => (row instanceof BadField ? '' : copyLine(line, row))).join('');
      }
    };
    const merged = await this.states.run(accepted(this.judged(wanted.source)), wanted);
    return { ...merged, read, rejected, firstRejects };
  }

  /** By the rules of state. A state later than the clock as it is known may be so no more: the database is asked again. */
  private async *judged(source: Source): AsyncGenerator<Judged[]> {
    let clock = await this.states.now();
    const isAhead = ({ row }: Judged) =>
      !(row instanceof BadField) && Temporal.Instant.compare(row.lastProcessedTimestamp, clock) > 0;
    for await (const rows of source.rows()) {
      const batch = rows.map(judge);
      if (batch.some(isAhead)) clock = await this.states.now();
      yield batch.map((judged) => (isAhead(judged) ? { ...judged, row: inFuture(clock) } : judged));
    }
  }
}

interface Judged extends SourceRow {
  readonly row: ImportRow | BadField;
}

function judge(source: SourceRow): Judged {
  if (source.content instanceof BadField) return { ...source, row: source.content };
  try {
    return { ...source, row: importRowOf(source.content) };
  } catch (error) {
    if (error instanceof BadField) return { ...source, row: error };
    throw error;
  }
}

function rejectOf({ line, text, content, row }: Judged): Reject[] {
  if (!(row instanceof BadField)) return [];
  return [{ line, column: row.column, reason: row.message, text: text ?? JSON.stringify(content) }];
}
