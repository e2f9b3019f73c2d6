import { createElement as h } from 'react';
import { useOpenExample } from './open-example.js';

/** GraphiQL's plugin that lists the examples; one that is clicked opens in a tab, not run yet. */
export function examplesPane(groups, answers) {
  return { title: 'Examples', icon: Icon, content: () => h(Pane, { groups, answers }) };
}

function Pane({ groups, answers }) {
  const open = useOpenExample(answers);
  return h(
    'section',
    { 'aria-label': 'Examples', className: 'examples' },
    h('div', { className: 'graphiql-doc-explorer-title' }, 'Examples'),
    h('p', null, 'Each opens in a tab, with its variables. Run from top to bottom, they tell a whole story.'),
    groups.map((group) => h(Group, { key: group.name, group, open })),
  );
}

function Group({ group: { name, examples }, open }) {
  const items = examples.map((example) => h('li', { key: example.title }, h(Item, { example, open })));
  return h('div', { role: 'group', 'aria-label': name }, h('h3', null, name), h('ul', null, items));
}

function Item({ example, open }) {
  const { title, comment } = example;
  return h(
    'button',
    { type: 'button', title: comment, disabled: open === undefined, onClick: () => open(example) },
    title,
  );
}

function Icon() {
  const lines = h('path', { d: 'M4 4.5h6M4 7h6M4 9.5h4' });
  const frame = h('rect', { x: 1.5, y: 1.5, width: 11, height: 11, rx: 1 });
  return h('svg', { viewBox: '0 0 14 14', fill: 'none', stroke: 'currentColor' }, frame, lines);
}
