// The rates as a picture: one panel an operation, one line a server.
const colours = {
  ours: '#d1242f',
  postgraphile: '#0969da',
  mercurius: '#8250df',
  yoga: '#bf8700',
  tutorial: '#57606a',
  bare: '#1a7f37',
  batched: '#24292f',
  pgbench: '#cf6ec2',
};
const panel = { width: 420, height: 240, left: 62, top: 34, gap: 40 };
const columns = 2;

/** `panels`: [{ title, concurrencies, lines: [{ server, title, rates }] }]; a rate may be undefined. */
export function plot(panels) {
  const rows = Math.ceil(panels.length / columns);
  const width = columns * (panel.width + panel.gap + panel.left);
  const legendTop = rows * (panel.height + panel.top + panel.gap) + 16;
  const drawn = panels.map((one, place) => {
    const x = (place % columns) * (panel.width + panel.gap + panel.left) + panel.left;
    const y = Math.floor(place / columns) * (panel.height + panel.top + panel.gap) + panel.top;
    return `<g transform="translate(${x} ${y})">${draw(one)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${legendTop + 30}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
${drawn.join('\n')}
${legend(panels, legendTop)}
</svg>
`;
}

function draw({ title, concurrencies, lines }) {
  const top = niceCeiling(Math.max(1, ...lines.flatMap(({ rates }) => rates.map((rate) => rate ?? 0))));
  const x = (place) => (place * panel.width) / Math.max(1, concurrencies.length - 1);
  const y = (rate) => panel.height * (1 - rate / top);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * top);
    return (
      `<line x1="0" x2="${panel.width}" y1="${at}" y2="${at}" stroke="#d0d7de"/>` +
      `<text x="-6" y="${at + 4}" text-anchor="end">${Math.round(part * top)}</text>`
    );
  });
  const ticks = concurrencies.map(
    (concurrency, place) =>
      `<text x="${x(place)}" y="${panel.height + 18}" text-anchor="middle">${concurrency}</text>`,
  );
  const paths = lines.map(({ server, rates }) => {
    const points = rates.flatMap((rate, place) => (rate === undefined ? [] : [[x(place), y(rate)]]));
    const thick = server === 'ours' ? 3 : 1.5;
    const dashes = server === 'batched' || server === 'pgbench' ? ' stroke-dasharray="5 4"' : '';
    return (
      `<polyline fill="none" stroke="${colours[server]}" stroke-width="${thick}"${dashes} points="${points.map((point) => point.map(round).join(',')).join(' ')}"/>` +
      points
        .map(
          ([cx, cy]) =>
            `<circle cx="${round(cx)}" cy="${round(cy)}" r="${thick}" fill="${colours[server]}"/>`,
        )
        .join('')
    );
  });
  return [
    `<text x="0" y="-14" font-size="14" font-weight="bold">${title}: requests/s by concurrency</text>`,
    ...grid,
    ...ticks,
    ...paths,
  ].join('\n');
}

function legend(panels, top) {
  const shown = new Map(panels.flatMap(({ lines }) => lines.map(({ server, title }) => [server, title])));
  return [...shown]
    .map(
      ([server, title], place) =>
        `<g transform="translate(${panel.left + place * 122} ${top})"><rect width="12" height="12" fill="${colours[server]}"/><text x="17" y="11">${title}</text></g>`,
    )
    .join('\n');
}

const round = (number) => Math.round(number * 10) / 10;

function niceCeiling(number) {
  const unit = 10 ** Math.floor(Math.log10(number));
  return unit * [1, 2, 4, 5, 8, 10].find((times) => times * unit >= number);
}
