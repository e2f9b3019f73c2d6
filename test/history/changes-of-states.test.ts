import { expect, test } from '@jest/globals';
import { allUnits } from '../../src/caller/grant.rules.js';
import type {
  ChangePage,
  ChangePageRepository,
  ChangePageWanted,
} from '../../src/history/change-page.repository.js';
import { ChangesOfStates } from '../../src/history/changes-of-states.repository.js';

interface Statement {
  ids: readonly number[];
  wanted: ChangePageWanted;
}

/** Notes what it is asked, and answers a page that tells of its state; of state 13 it fails. */
function repository(statements: Statement[]): ChangePageRepository {
  const pagesOfStates = (ids: readonly number[], wanted: ChangePageWanted): Promise<ChangePage[]> => {
    statements.push({ ids, wanted });
    if (ids.includes(13)) return Promise.reject(new Error('no such luck'));
    return Promise.resolve(
      ids.map((stateId) => ({ changes: [{ stateId }], hasPreviousPage: false, hasNextPage: false }) as never),
    );
  };
  return { pagesOfStates } as ChangePageRepository;
}

const wanted = (size: number): ChangePageWanted => ({ filter: {}, grants: allUnits, size, after: undefined });
const idsFrom = (first: number, count: number) => Array.from({ length: count }, (_, place) => first + place);

test('pages that are asked for together, and alike, are few statements, of few rows each', async () => {
  const statements: Statement[] = [];
  const changes = new ChangesOfStates(repository(statements));
  const ids = idsFrom(100, 1_000);
  const pages = await Promise.all(
    ids.flatMap((id) => [changes.page(id, wanted(1)), changes.page(id, wanted(99))]),
  );
  expect(pages.map((page) => page.changes[0]!.stateId)).toEqual(ids.flatMap((id) => [id, id]));
  expect(statements.length).toBeLessThanOrEqual(2 + 50 + 2);
  for (const { ids: asked, wanted: of } of statements) {
    expect(asked.length * (of.size + 1)).toBeLessThanOrEqual(2_000);
  }
});

test('what fails concerns those alone who are in its statement', async () => {
  const changes = new ChangesOfStates(repository([]));
  const [bad, good] = await Promise.allSettled([
    changes.page(13, wanted(1)),
    changes.page(13_000, wanted(2)),
  ]);
  expect(bad).toMatchObject({ status: 'rejected', reason: { message: 'no such luck' } });
  expect(good).toMatchObject({ status: 'fulfilled', value: { changes: [{ stateId: 13_000 }] } });
});
