import { expect, test } from '@jest/globals';
import { subscription, type Event } from '../support/subscriber.js';
import { unit } from '../support/units.js';
import { hour, useGrantedApi, type GrantedCaller } from './granted-api.js';

const api = useGrantedApi();

/** Reads until an event of the kind comes, and ends the subscription. */
async function eventsUntil(
  stream: Awaited<ReturnType<GrantedCaller['subscribe']>>,
  kind: string,
): Promise<Event[]> {
  const events: Event[] = [];
  for await (const { data, errors } of stream) {
    if (errors) throw new Error(JSON.stringify(errors));
    events.push(data.scopeStateChanged as Event);
    if (events.at(-1)!.kind === kind) break;
  }
  return events;
}

const remove = (scopeId: string) =>
  api.database.query('delete from cloudkitty_storage_states where identifier = $1', [scopeId]);

/** What happens to two tenants' states: the last one of each is its removal by a foreign writer. */
async function story() {
  const [from, to] = [unit(), unit({ collector: 'monasca' })];
  const { scopeState } = await api.admin.advance(from, hour(0));
  await api.admin.rekey(scopeState.id, to);
  await api.admin.advance(unit(), hour(0));
  await api.admin.advance(from, hour(5));
  await remove(from.scopeId);
  await remove(to.scopeId);
  return scopeState.id as string;
}

test.each(['live', 'catching up'])(
  '%s, a subscriber is sent what is granted, half a move included',
  async (way) => {
    const known = await api.database.query<{ sequence: string }>(
      'select coalesce(max(sequence), 0) as sequence from scopestate_history',
    );
    const afterSequence = way === 'live' ? undefined : known[0]!.sequence;
    const [gnocchi, monasca] = [api.as({ collector: 'gnocchi' }), api.as({ collector: 'monasca' })];
    const open = () =>
      Promise.all([gnocchi, monasca].map((caller) => caller.subscribe(subscription, { afterSequence })));
    const early = way === 'live' ? await open() : undefined;
    const id = await story();
    const [own, others] = await Promise.all(
      (early ?? (await open())).map((stream) => eventsUntil(stream, 'EXTERNAL')),
    );
    expect(own!.map(({ kind, scopeState }) => [kind, scopeState && scopeState.collector])).toEqual([
      ['CREATED', 'gnocchi'],
      ['REKEYED', null],
      ['CREATED', 'gnocchi'],
      ['CREATED', 'gnocchi'],
      ['EXTERNAL', null],
    ]);
    expect(own![1]).toMatchObject({ scopeStateId: id, scopeState: null });
    expect(others!.map(({ kind, scopeState }) => [kind, scopeState && scopeState.collector])).toEqual([
      ['REKEYED', 'monasca'],
      ['EXTERNAL', null],
    ]);
  },
);

test('no filter tells where a state went to or came from', async () => {
  const [from, to] = [unit(), unit({ collector: 'monasca' })];
  const gnocchi = api.as({ collector: 'gnocchi' });
  const stream = await gnocchi.subscribe(subscription, { filter: { scopeIds: [to.scopeId, 'end'] } });
  const { scopeState } = await api.admin.advance(from, hour(0));
  await api.admin.rekey(scopeState.id, to);
  await api.admin.advance(unit({ scopeId: 'end' }), hour(0));
  const events = await eventsUntil(stream, 'CREATED');
  expect(events.map(({ scopeState: state }) => state?.scopeId)).toEqual(['end']);
});
