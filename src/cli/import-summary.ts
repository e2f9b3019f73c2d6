import { describeConflict, type OnConflict } from '../transfer/conflict.rules.js';
import type { ImportSummary } from '../transfer/import.service.js';

export interface Told {
  readonly summary: ImportSummary;
  readonly source: string;
  readonly onConflict: OnConflict;
  readonly rejectsPath: string;
}

/** What an import did, or would do: a line a number, then what was in its way. */
export function describeImport({ summary, source, onConflict, rejectsPath }: Told): string[] {
  const { isApplied, conflicts, firstConflicts, rejected, firstRejects, takenOver, partlyFilled } = summary;
  const numbers = [
    ['read', summary.read],
    [isApplied ? 'inserted' : 'would insert', summary.inserted],
    [isApplied ? 'updated' : 'would update', summary.updated],
    ['unchanged', summary.unchanged],
    ['taken over', takenOver],
    ['repeated', summary.repeated],
    [isApplied ? 'skipped' : 'would skip', summary.skipped],
    ['conflicts', conflicts],
    ['rejected', rejected],
    ['partly filled', partlyFilled],
  ] as const;
  return [
    ...numbers.map(([name, number]) => `${name}: ${number}`),
    ...(partlyFilled > 0
      ? [
          'Note: a row with only some of scopeKey, collector and fetcher belongs to no unit: no check ever answers it.',
        ]
      : []),
    ...(takenOver > 0
      ? [
          'Note: a legacy row whose state belongs to a unit by now is not put in again: another unit would take it over, too.',
        ]
      : []),
    ...listed('conflict', firstConflicts.map(describeConflict), conflicts),
    ...listed(
      'rejected',
      firstRejects.map(
        ({ line, column, reason }) => `${source}, line ${line}${column && `, ${column}`}: ${reason}`,
      ),
      rejected,
    ),
    ...(rejected > 0 ? [`The rejected lines are in ${rejectsPath}.`] : []),
    closing(summary, onConflict),
  ];
}

function listed(word: string, lines: string[], count: number): string[] {
  const more = count - lines.length;
  return [...lines.map((line) => `${word}  ${line}`), ...(more > 0 ? [`${word}  … and ${more} more`] : [])];
}

function closing({ isApplied, conflicts }: ImportSummary, onConflict: OnConflict): string {
  if (isApplied) return 'Done.';
  if (onConflict === 'fail' && conflicts > 0) {
    return 'Nothing was changed. Say which values stay: --on-conflict skip, keep-latest or keep-earliest.';
  }
  return 'Nothing was changed: this was a dry run. Add --apply to do it.';
}
