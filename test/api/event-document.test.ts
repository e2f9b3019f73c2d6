import { expect, test } from '@jest/globals';
import { parse, print } from 'graphql';
import { documentOfEvents } from '../../src/api/documents/event-document.js';

const eventsOf = (text: string, operationName?: string) =>
  print(documentOfEvents(parse(text), operationName))
    .replace(/\s+/g, ' ')
    .trim();

test('the arguments of the subscription’s field go, and the variables that only they use', () => {
  const text = `subscription S($filter: F, $after: String) { changed(filter: $filter, after: $after) { kind } }`;
  expect(eventsOf(text)).toBe('subscription S { changed { kind } }');
});

test('variables that something else uses stay, in fragments too', () => {
  const text = `
    subscription ($filter: F, $first: Int = 5, $more: Boolean!, $size: Int) {
      events: changed(filter: $filter) { kind state { changes(first: $first) { n } ...Rest @include(if: $more) } }
    }
    fragment Rest on State { page(size: $size) { n } }`;
  expect(eventsOf(text)).toBe(
    'subscription ($first: Int = 5, $more: Boolean!, $size: Int) { events: changed { kind ' +
      'state { changes(first: $first) { n } ...Rest @include(if: $more) } } } ' +
      'fragment Rest on State { page(size: $size) { n } }',
  );
});

test('of several operations it is the one that was asked for', () => {
  const text = 'subscription A { changed { kind } } subscription B($a: Int) { changed(a: $a) { sequence } }';
  expect(eventsOf(text, 'B')).toBe('subscription B { changed { sequence } }');
});
