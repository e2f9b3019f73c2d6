import { layoutOf } from './columns.rules.js';
import { fieldsOf } from './format.rules.js';
import { unreadable, type Source } from './source.js';

export const sourceTable = 'cloudkitty_storage_states';

/** A connection to a database of CloudKitty's, in one snapshot of it. */
export interface ForeignTable {
  /** names of the table's columns; none where there is no such table, or it may not be read */
  columns(): Promise<string[]>;
  count(): Promise<number>;
  /** the values of these columns, some rows at a time; times as texts */
  rows(columns: readonly string[]): AsyncIterable<unknown[][]>;
  close(): Promise<void>;
}

/** @throws OperatorError in one line when it can't be reached, or has no such table */
export async function openDatabaseSource(
  name: string,
  connect: () => Promise<ForeignTable>,
): Promise<Source> {
  let table: ForeignTable | undefined;
  try {
    table = await connect();
    const names = await table.columns();
    if (names.length === 0) throw new Error(`it has no table ${sourceTable} that this user may read`);
    const { places, ignored } = layoutOf(names, name);
    const wanted = names.filter((_, place) => places[place] !== undefined);
    const wantedPlaces = places.filter((column) => column !== undefined);
    return read(name, table, { wanted, wantedPlaces, ignored, total: await table.count() });
  } catch (error) {
    await table?.close();
    throw unreadable(name, error);
  }
}

interface Wanted extends Pick<Source, 'ignored'> {
  wanted: string[];
  wantedPlaces: Parameters<typeof fieldsOf>[0];
  total: number;
}

function read(name: string, table: ForeignTable, { wanted, wantedPlaces, ignored, total }: Wanted): Source {
  let done = 0;
  return {
    name,
    ignored,
    get position() {
      return { done, total };
    },
    async *rows() {
      try {
        for await (const rows of table.rows(wanted)) {
          yield rows.map((values) => ({ line: ++done, content: fieldsOf(wantedPlaces, values) }));
        }
      } catch (error) {
        throw unreadable(name, error);
      }
    },
    close: () => table.close(),
  };
}
