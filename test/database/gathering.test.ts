import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Gathering, type GatheringOptions, type Job, type LeftOver } from '../../src/database/gathering.js';
import { Unavailable } from '../../src/fault.js';

/** An item is its key and its place: `a1`. */
type Run = { jobs: readonly Job<string, string>[]; patient: boolean; end: (left?: Left) => Promise<void> };
type Left = Partial<LeftOver<string, string>>;

/** A gathering whose runs are ended by the test; jobs that are not left over are settled with their own item. */
function gather(more: Partial<GatheringOptions<string, string>> = {}) {
  const runs: Run[] = [];
  const gathering = new Gathering<string, string>({
    keyOf: (item) => item[0],
    runsAtOnce: 1,
    patientRunsAtOnce: 1,
    jobsARun: 100,
    jobsAtMost: 100,
    run: (jobs, { patient }) => {
      const { promise, resolve } = Promise.withResolvers<LeftOver<string, string>>();
      const end = async ({ locked = [], later = [] }: Left = {}) => {
        for (const job of jobs) if (!locked.includes(job) && !later.includes(job)) job.resolve(job.item);
        resolve({ locked, later });
        await turn();
      };
      runs.push({ jobs, patient, end });
      return promise;
    },
    ...more,
  });
  const items = () => runs.map(({ jobs }) => jobs.map(({ item }) => item).join(' '));
  const submit = (...all: string[]) => all.map((item) => gathering.submit(item));
  return { runs, items, submit };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('nothing waits while nothing is under way: a run begins with all that came in one turn', async () => {
  const { items, submit } = gather();
  void submit('a1', 'b1');
  expect(items()).toEqual([]);
  await turn();
  expect(items()).toEqual(['a1 b1']);
});

test('what comes while runs are under way is done together when the first of them ends', async () => {
  const { runs, items, submit } = gather({ runsAtOnce: 2 });
  const answers = submit('a1');
  await turn();
  answers.push(...submit('b1', 'c1'));
  await turn();
  expect(items()).toEqual(['a1', 'b1 c1']);
  answers.push(...submit('d1', 'e1'));
  await turn();
  expect(items()).toHaveLength(2);
  await runs[1]!.end();
  expect(items()[2]).toBe('d1 e1');
  await runs[0]!.end();
  await runs[2]!.end();
  expect(await Promise.all(answers)).toEqual(['a1', 'b1', 'c1', 'd1', 'e1']);
});

test('one key is never in two runs at once, and its items keep their order', async () => {
  const { runs, items, submit } = gather({ runsAtOnce: 2 });
  void submit('a1');
  await turn();
  void submit('a2', 'b1', 'a3');
  await turn();
  expect(items()).toEqual(['a1', 'b1']);
  await runs[0]!.end();
  expect(items()[2]).toBe('a2 a3');
  await runs[2]!.end({ later: [runs[2]!.jobs[1]!] });
  void submit('a4');
  expect(items()[3]).toBe('a3');
});

test('what is locked leaves the others at once, and waits in one run of its own', async () => {
  const { runs, items, submit } = gather();
  void submit('a1');
  await turn();
  void submit('b1', 'b2', 'c1');
  await runs[0]!.end();
  await runs[1]!.end({ locked: runs[1]!.jobs.filter(({ item }) => item.startsWith('b')) });
  expect(runs[2]).toMatchObject({ patient: true });
  expect(items()[2]).toBe('b1 b2');
  const [answer] = submit('b3', 'd1').slice(1);
  await turn();
  await runs[3]!.end();
  expect(await answer).toBe('d1');
  await runs[2]!.end();
  expect(items()).toEqual(['a1', 'b1 b2 c1', 'b1 b2', 'd1', 'b3']);
});

test('with no place for another patient run, what is locked is tried again beside the others', async () => {
  const { runs, items, submit } = gather();
  void submit('a1');
  await turn();
  await runs[0]!.end({ locked: runs[0]!.jobs });
  const [answer] = submit('b1');
  await turn();
  await runs[2]!.end({ locked: runs[2]!.jobs });
  expect(items()).toEqual(['a1', 'a1', 'b1']);
  void submit('c1');
  await turn();
  expect(items()[3]).toBe('c1 b1');
  await runs[3]!.end();
  expect(await answer).toBe('b1');
});

test('beyond its bound it refuses, those that are under way counted; then it takes more again', async () => {
  const { runs, submit } = gather({ jobsAtMost: 3 });
  const answers = submit('a1');
  await turn();
  answers.push(...submit('b1', 'c1'));
  const [refused] = submit('d1');
  await expect(refused).rejects.toBeInstanceOf(Unavailable);
  await runs[0]!.end();
  answers.push(...submit('e1'));
  await runs[1]!.end();
  await runs[2]!.end();
  expect(await Promise.all(answers)).toEqual(['a1', 'b1', 'c1', 'e1']);
});

test('a run that fails as a whole leaves nobody without an answer, and the next begins', async () => {
  const { submit } = gather({
    run: ([job]) => {
      if (job!.item === 'a1') return Promise.reject(new Error('broken'));
      job!.resolve('done');
      return Promise.resolve({ locked: [], later: [] });
    },
  });
  const [failing] = submit('a1');
  await turn();
  const [next] = submit('b1');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('done');
});

test('who has waited too long is told so when its turn comes, and nothing is done for it', async () => {
  const { runs, items, submit } = gather({ longestQueueMillis: 100 });
  void submit('a1');
  await turn();
  const late = Promise.allSettled(submit('a2', 'b1'));
  await delay(150);
  const inTime = submit('b2');
  await runs[0]!.end();
  expect(await late).toMatchObject([
    { reason: expect.objectContaining({ message: expect.stringContaining('nothing was done') }) },
    { reason: expect.any(Unavailable) },
  ]);
  expect(items()).toEqual(['a1', 'b2']);
  await runs[1]!.end();
  expect(await Promise.all(inTime)).toEqual(['b2']);
});
