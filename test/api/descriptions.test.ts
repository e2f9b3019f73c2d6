import { expect, test } from '@jest/globals';
import { parse, visit } from 'graphql';
import { readFile } from 'node:fs/promises';

test('every type, field, argument and enum value says what it means', async () => {
  const undescribed: string[] = [];
  let described = 0;
  const look = (node: { kind: string; name?: { value: string }; description?: { value: string } }) => {
    if (node.kind === 'Directive' || !('description' in node)) return;
    if (node.description?.value.trim()) described++;
    else undescribed.push(`${node.kind} ${node.name?.value}`);
  };
  visit(parse(await readFile('schema.graphql', 'utf8')), { enter: (node) => look(node as never) });
  expect(undescribed).toEqual([]);
  expect(described).toBeGreaterThan(250);
});
