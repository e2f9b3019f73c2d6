import { expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import type { Change } from '../../src/history/change.rules.js';
import { Bell } from '../../src/live/bell.js';
import { ChangeStream } from '../../src/live/change-stream.js';
import type { FeedKeeper } from '../../src/live/feed-keeper.js';
import { Pace } from '../../src/live/pace.js';
import { RecentChanges } from '../../src/live/recent-changes.js';
import type { SettledPages } from '../../src/live/settled-pages.js';

function emptyFeed(): RecentChanges {
  const recent = new RecentChanges();
  recent.settle(0n);
  return recent;
}

/** As a burst leaves them: all there at once. */
function burst(recent: RecentChanges, count: number): void {
  const changes = Array.from(
    { length: count },
    (_, n) => ({ sequence: BigInt(n + 1), kind: 'ADVANCED', after: {} }) as Change,
  );
  recent.append(changes);
}

function open(recent: RecentChanges, pace: Pace, fits: () => boolean): ChangeStream {
  const keeper = { recent, looks: 0, poke: () => undefined, leave: () => undefined };
  return new ChangeStream({
    keeper: keeper as unknown as FeedKeeper,
    recent,
    pages: undefined as unknown as SettledPages,
    pace,
    bell: new Bell(),
    see: (change) => change,
    fits,
    after: undefined,
    isLost: false,
  });
}

/** Until all are read; how often they were asked in one turn of the event loop, at most. */
async function mostAskedInATurn(streams: ChangeStream[], isRead: () => boolean, asked: () => number) {
  let most = 0;
  const reading = streams.map(async (stream) => {
    for await (const _event of stream) if (isRead()) break;
  });
  for (let before = asked(); !isRead(); before = asked()) {
    await turn();
    most = Math.max(most, asked() - before);
  }
  await Promise.all(streams.map((stream) => stream.return()));
  await Promise.all(reading);
  return most;
}

test('a burst for many subscribers is sent in many turns of the event loop, to each its share', async () => {
  const [pace, recent] = [new Pace(), emptyFeed()];
  const sent = Array.from({ length: 100 }, () => 0);
  const asked = () => sent.reduce((sum, count) => sum + count, 0);
  let widest = 0;
  const streams = sent.map((_, n) =>
    open(recent, pace, () => {
      sent[n]!++;
      widest = Math.max(widest, sent[n]! - Math.min(...sent));
      return true;
    }),
  );
  burst(recent, 500);
  const most = await mostAskedInATurn(streams, () => asked() === 100 * 500, asked);
  expect(most).toBeLessThanOrEqual(2 * 64);
  expect(widest).toBeLessThanOrEqual(2);
});

test('what subscribers do not want is passed by in many turns, too', async () => {
  const [pace, recent] = [new Pace(), emptyFeed()];
  let asked = 0;
  const streams = Array.from({ length: 100 }, () =>
    open(recent, pace, () => {
      asked++;
      return false;
    }),
  );
  burst(recent, 10_000);
  const most = await mostAskedInATurn(
    streams,
    () => asked === 100 * 10_000,
    () => asked,
  );
  expect(most).toBeLessThanOrEqual(2 * 64 * 200);
});

test('a lone event needs no turn', async () => {
  const recent = emptyFeed();
  const stream = open(recent, new Pace(), () => true);
  burst(recent, 1);
  let turns = 0;
  const counting = setImmediate(() => turns++);
  expect(await stream.next()).toMatchObject({ done: false, value: { sequence: 1n } });
  expect(turns).toBe(0);
  clearImmediate(counting);
  await stream.return();
});
