/** One thing that was looked at: in order, worth knowing, or wrong. */
export interface Finding {
  level: 'well' | 'note' | 'wrong';
  /** what was looked at, in a word or two */
  subject: string;
  /** what was found, in plain words; no secrets */
  found: string;
  /** what to do about it */
  advice?: string;
}

export function well(subject: string, found: string): Finding {
  return { level: 'well', subject, found };
}

export function note(subject: string, found: string, advice?: string): Finding {
  return { level: 'note', subject, found, ...(advice !== undefined && { advice }) };
}

export function wrong(subject: string, found: string, advice: string): Finding {
  return { level: 'wrong', subject, found, advice };
}
