/** The four texts of a state; empty ones are null, of a legacy row all but the first. */
export interface UnitTexts {
  readonly scopeId: string;
  readonly scopeKey: string | null;
  readonly collector: string | null;
  readonly fetcher: string | null;
}

export const grantFields = ['scopeId', 'scopeKey', 'collector', 'fetcher'] as const;

/** Collection units, by one pattern a text: `*` stands for any characters, also none; everything else for itself. */
export type Grant = Readonly<Record<(typeof grantFields)[number], string>>;

/** What a caller may see and change: units that fit any of these. */
export type Grants = readonly Grant[];

export const allUnits: Grants = [{ scopeId: '*', scopeKey: '*', collector: '*', fetcher: '*' }];

/** Whether nothing lies outside: statements then need no condition. */
export function coverAll(grants: Grants): boolean {
  return grants.some((grant) => grantFields.every((field) => isAny(grant[field])));
}

/**
 * Whether a unit, or a state, is granted. A column that is empty fits every pattern: a legacy row may become the state of
 * any unit of its scope id, so whoever is granted such a unit can see it, and take it over.
 */
export function cover(grants: Grants, texts: UnitTexts): boolean {
  return grants.some((grant) =>
    grantFields.every(
      (field) => grant[field] === '*' || texts[field] === null || fitsPattern(texts[field], grant[field]),
    ),
  );
}

/** The pattern of a LIKE with `\` as its escape character that means the same. */
export function likePattern(pattern: string): string {
  return pattern.replace(/[\\%_]/g, String.raw`\$&`).replace(/\*+/g, '%');
}

/** Whether a pattern fits every text. */
export function isAny(pattern: string): boolean {
  return /^\*+$/.test(pattern);
}

/** Each part between stars is sought once, from left to right: no pattern takes long. */
function fitsPattern(text: string, pattern: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return text === pattern;
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  let from = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const place = text.indexOf(part, from);
    if (place < 0 || place + part.length > end) return false;
    from = place + part.length;
  }
  return true;
}
