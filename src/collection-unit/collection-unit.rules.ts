import { BadInput, codePointOf, quoted } from '../fault.js';

/** What a state belongs to: a scope as one collector reads it. */
export interface CollectionUnit {
  readonly scopeId: string;
  readonly scopeKey: string;
  readonly collector: string;
  readonly fetcher: string;
}

/** Code points at most: the widths of CloudKitty's columns. */
export const longest = { scopeId: 256, scopeKey: 40, collector: 40, fetcher: 40 } as const;

const parts = ['scopeId', 'scopeKey', 'collector', 'fetcher'] as const;

/** @throws BadInput naming the first part that can't be stored exactly as given */
export function checkUnit(unit: CollectionUnit, field: string): void {
  for (const part of parts) checkText(unit[part], longest[part], `${field}.${part}`);
}

/**
 * A text is stored and answered exactly as given, so what PostgreSQL or JSON can't carry is refused, and so are control
 * characters, which nobody means.
 */
export function checkText(text: string, longestText: number, field: string): void {
  const allowed = `1 to ${longestText} characters, none of them a control character or half of a surrogate pair`;
  if (text === '') throw new BadInput(field, 'an empty text', allowed);
  if (!text.isWellFormed()) throw new BadInput(field, 'half of a surrogate pair', allowed);
  const control = controlCharacterIn(text);
  if (control !== undefined) throw new BadInput(field, `the control character ${control}`, allowed);
  if (text.length <= longestText) return; // UTF-16 never counts fewer: no need to count code points
  const length = lengthOf(text);
  if (length > longestText) throw new BadInput(field, `${length} characters (${quoted(text)})`, allowed);
}

/** In code points, as PostgreSQL counts. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** Equal for equal units only. Sorted by it, units have one order in all processes; which one does not matter. */
export function unitKey(unit: CollectionUnit): string {
  return JSON.stringify([unit.scopeId, unit.scopeKey, unit.collector, unit.fetcher]);
}

/** Unicode's category Cc: C0, DEL and C1. */
function controlCharacterIn(text: string): string | undefined {
  const found = /\p{Cc}/u.exec(text)?.[0];
  return found && codePointOf(found);
}
