import { expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Admission } from '../../src/api/admission.js';
import type { Callers } from '../../src/api/callers.js';
import type { Identity } from '../../src/caller/caller.js';
import { Unauthenticated, Unavailable } from '../../src/fault.js';

const raw = { headers: {}, socket: {} } as IncomingMessage;
const request = { raw, headers: raw.headers } as FastifyRequest;
const reply = {} as FastifyReply;
const limits = { deadlineMillis: 10_000, isDurable: () => true };

test('who could not be found is not looked for twice', async () => {
  let looks = 0;
  const wayIn = async (): Promise<Identity> => {
    looks++;
    return Promise.reject(new Unavailable('gone'));
  };
  const admission = new Admission(wayIn, { waitOf: () => 0 } as unknown as Callers, limits);
  expect(await admission.admit(raw)).toBeUndefined();
  await expect(admission.letIn(request, reply)).rejects.toThrow(Unavailable);
  expect(looks).toBe(1);
});

test('who was let in a second ago is looked at again', async () => {
  const way: (() => Identity)[] = [];
  const admission = new Admission(() => way.shift()!(), { waitOf: () => 0 } as unknown as Callers, limits);
  const identity: Identity = { id: 'a', name: 'a', role: 'reader', grants: [] };
  const refuse = () => {
    throw new Unavailable('gone');
  };
  admission.keep(raw, { identity, countedAs: 'a', at: performance.now() });
  await admission.lookAgain(request);
  admission.keep(raw, { identity, countedAs: 'a', at: performance.now() - 1_000 });
  way.push(() => ({ ...identity, role: 'admin' }), refuse);
  await admission.lookAgain(request);
  expect(admission.contextOf(request)).toMatchObject({ role: 'admin' });
  await admission.lookAgain(request);
  admission.keep(raw, { identity, countedAs: 'a', at: performance.now() - 1_000 });
  await expect(admission.lookAgain(request)).rejects.toThrow(Unavailable);
});

test('who was let in, and goes on the long way, is neither looked for nor counted again', async () => {
  let [looks, counted] = [0, 0];
  const identity: Identity = { id: 'a', name: 'a', role: 'reader', grants: [] };
  const wayIn = () => {
    looks++;
    return identity;
  };
  const admission = new Admission(wayIn, { waitOf: () => counted++ } as unknown as Callers, limits);
  const admitted = await admission.admit(raw);
  admission.keep(raw, admitted!);
  await admission.letIn(request, reply);
  expect([looks, counted]).toEqual([1, 1]);
});

test('who has been at it for a second is looked at again, and nobody begins when his time is over', () => {
  const way: (() => Identity)[] = [];
  const identity: Identity = { id: 'a', name: 'a', role: 'reader', grants: [] };
  const contextOf = (deadlineMillis: number, at: number) =>
    new Admission(() => way.shift()!(), { waitOf: () => 0 } as unknown as Callers, {
      ...limits,
      deadlineMillis,
    }).contextFor(raw, { identity, countedAs: 'a', at }, 'r');
  expect(contextOf(10_000, performance.now()).mayGoOn!()).toBeUndefined();
  const revoked = () => {
    throw new Unauthenticated('revoked');
  };
  way.push(revoked, revoked, () => identity);
  const { mayGoOn } = contextOf(10_000, performance.now() - 1_000);
  for (let time = 0; time < 2; time++) expect(() => mayGoOn!()).toThrow(Unauthenticated);
  for (let time = 0; time < 2; time++) expect(mayGoOn!()).toBeUndefined(); // once more it is believed for a second
  expect(() => contextOf(-1, performance.now()).mayGoOn!()).toThrow(Unavailable);
});
