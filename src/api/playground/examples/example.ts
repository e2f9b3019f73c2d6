/** A request that the playground offers, ready to run. */
export interface Example {
  /** what it shows; for a mutation its outcome first */
  title: string;
  /** what to expect, and what it needs; shown above the query too */
  comment: string;
  /** what it answers when its group is run from top to bottom on a fresh database; a batch's are joined with ", " */
  outcome?: string;
  query: string;
  variables: Record<string, unknown>;
}

export interface ExampleGroup {
  name: string;
  examples: Example[];
}

/** All examples write to scope ids that begin so: the last group deletes by it. */
export const playgroundPrefix = 'playground-';

export function unitOf(name: string, collector = 'gnocchi') {
  return { scopeId: `${playgroundPrefix}${name}`, scopeKey: 'project_id', collector, fetcher: 'keystone' };
}

/** What an editor shows: the comment in one line, which the editor wraps, and the query. */
export function queryText({ comment, query }: Example): string {
  return `# ${comment}\n${outdented(query)}\n`;
}

function outdented(text: string): string {
  const lines = text.replace(/^\s*\n|\s+$/g, '').split('\n');
  const indent = /^ */.exec(lines[0]!)![0].length;
  return lines.map((line) => line.slice(indent)).join('\n');
}
