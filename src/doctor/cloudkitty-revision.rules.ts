/** The revisions of CloudKitty's states, oldest first, as it notes them in storage_states_alembic. */
const revisions = ['c14eea9d3cc1', 'd9d103dd4dcf', 'c50ed2c19204', '750d3050cf71', '4d69395f', '9feccd32'];

/** From here on CloudKitty's code calls the column last_processed_timestamp; an older one asks for `state`. */
const renamed = '750d3050cf71';

/** Lines for an operator: which revision it is, and what a takeover of it means for CloudKitty. None: no CloudKitty was here. */
export function describeRevisions(found: readonly string[]): string[] {
  return found.flatMap((revision) => {
    const place = revisions.indexOf(revision);
    const line = `CloudKitty's revision ${revision}${place === revisions.length - 1 ? ', its latest' : ''}`;
    if (place < 0)
      return [`${line}: not known here, so "migrate up" refuses it (known: ${revisions.join(', ')})`];
    if (place >= revisions.indexOf(renamed)) return [line];
    return [
      line,
      `  CloudKitty's own code must be upgraded at the same time, to one of ${renamed} or later: older code asks for a`,
      '  column that a takeover renames.',
    ];
  });
}
