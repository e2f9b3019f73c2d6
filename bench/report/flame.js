// A profile of `node --cpu-prof` as a picture: each function is as wide as the time spent in it and in what it called, and
// stands on its caller. Idle time is left out.
const width = 1600;
const rowHeight = 17;
const least = 0.004; // of all, to be drawn
const letterWidth = 6.3;

const kinds = [
  { title: 'scopestate', colour: '#ff9d8a', is: ({ url }) => url.includes('/dist/') && !isPackage(url) },
  { title: 'packages', colour: '#8ecbff', is: ({ url }) => isPackage(url) },
  { title: 'Node.js', colour: '#b9e3a5', is: ({ url }) => url.startsWith('node:') },
  { title: 'V8, system', colour: '#e3c3ff', is: ({ url }) => url === '' },
  { title: 'other', colour: '#dddddd', is: () => true },
];
const isPackage = (url) => url.includes('/node_modules/');

/** `between`: the time of the profile's clock, in microseconds, that is looked at. */
export function flameGraph(profile, { title, between }) {
  const root = tree(profile, between);
  const rows = [];
  place(root, 0, 0, rows, root.time);
  const height = (Math.max(...rows.map(({ depth }) => depth)) + 1) * rowHeight + 70;
  const boxes = rows.map((row) => box(row, root.time, height - 20));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="monospace" font-size="11">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="8" y="18" font-size="14">${escaped(`${title}: ${(root.time / 1000).toFixed(0)} ms of work`)}</text>
${legend()}
${boxes.join('\n')}
</svg>
`;
}

/** Calls of the same function by the same callers are one, with the time of all. */
function tree({ nodes, samples, timeDeltas, startTime }, [from, to]) {
  const own = new Map();
  let at = startTime;
  samples.forEach((id, place) => {
    at += timeDeltas[place];
    if (at >= from && at < to) own.set(id, (own.get(id) ?? 0) + timeDeltas[place]);
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const grow = ({ id, callFrame, children = [] }) => {
    const callees = children
      .map((child) => grow(byId.get(child)))
      .filter(({ time, name }) => time > 0 && name !== '(idle)')
      .toSorted((one, other) => other.time - one.time);
    const time = callees.reduce((sum, callee) => sum + callee.time, own.get(id) ?? 0);
    return { name: callFrame.functionName || '(anonymous)', url: callFrame.url, time, callees };
  };
  return grow(nodes[0]);
}

function place(node, start, depth, rows, whole) {
  if (node.time < least * whole) return;
  rows.push({ node, start, depth });
  let next = start;
  for (const callee of node.callees) {
    place(callee, next, depth + 1, rows, whole);
    next += callee.time;
  }
}

function box({ node, start, depth }, whole, bottom) {
  const x = (start / whole) * width;
  const wide = (node.time / whole) * width;
  const y = bottom - (depth + 1) * rowHeight;
  const { colour } = kinds.find(({ is }) => is(node));
  const share = `${((node.time / whole) * 100).toFixed(1)} %`;
  const where = node.url.replace(/^.*\/(?=dist\/|node_modules\/)/, '');
  const room = Math.floor((wide - 4) / letterWidth);
  const label =
    room < 3
      ? ''
      : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(node.name.slice(0, room))}</text>`;
  return (
    `<g><title>${escaped(`${node.name} ${where} ${share}`)}</title>` +
    `<rect x="${x.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${rowHeight - 1}" fill="${colour}"/>${label}</g>`
  );
}

function legend() {
  return kinds
    .map(
      ({ title, colour }, row) =>
        `<rect x="${8 + row * 110}" y="27" width="11" height="11" fill="${colour}"/><text x="${23 + row * 110}" y="37">${title}</text>`,
    )
    .join('');
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
