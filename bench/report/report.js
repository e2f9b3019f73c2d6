import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { servers } from '../peers/peers.js';
import { operations } from '../work/operations.js';
import { plot } from './plot.js';
import { noiseBound } from './results.js';
import { targetLines, verdict } from './targets.js';

const titles = { ...Object.fromEntries(servers.map(({ name, title }) => [name, title])), pgbench: 'pgbench' };
/** More noisy measurements than that, and the run as a whole is not to be believed. */
const noisyRunShare = 0.2;

const aboutTargets =
  'What is measured is the median of the rounds’ ratios. Beside it stand two of the rounds between which the median lies, nine in ten sure, of ' +
  'all rounds that these processes could have had; others of the same code can differ by more (see below). “The ceiling” is what bare ' +
  'node:http with the same batching reaches against the same server.';

/** Writes `<base>.md` and `<base>.svg` in bench/. */
export async function writeReport(run) {
  const { base, results, options, names, checkpoints, postgres, pgbench, ours, minutes } = run;
  const parts = [
    '# What the benchmark measured',
    warnings(results, options, checkpoints),
    targetsTable(results),
    `![requests a second](${base}.svg)`,
    ...Object.keys(operations).map((operation) => operationTable(operation, results, options, names)),
    await notes(),
    about({ options, postgres, pgbench, ours, names, minutes }),
    howToRepeat,
  ];
  const file = new URL(`../${base}.md`, import.meta.url);
  await writeFile(file, await formatted(parts.filter(Boolean).join('\n\n'), file));
  await writeFile(new URL(`../${base}.svg`, import.meta.url), plot(panels(results, options, names)));
  return file;
}

export function targetsTable(results) {
  const rows = targetLines(results).map((line) => [
    operations[line.operation].title,
    line.concurrency,
    line.against,
    line.asked,
    line.measured ?? '',
    line.between ?? '',
    line.ceiling ?? '',
    verdict(line),
  ]);
  const head = [
    'operation',
    'concurrency',
    'against',
    'at least',
    'measured',
    'nine in ten between',
    'the ceiling',
    'so',
  ];
  return `## Targets\n\n${aboutTargets}\n\n${table(head, rows)}`;
}

function warnings(results, { quick, isWhole }, checkpoints) {
  const { noisy, all } = results.noise();
  const lines = [];
  if (quick)
    lines.push('**This is `--quick`: few and short rounds on a small table. It is not the real thing.**');
  else if (!isWhole) lines.push('**Not the whole benchmark: it was told what to measure, and how.**');
  if (noisy / all > noisyRunShare) {
    lines.push(
      `**Too noisy to be believed**: of ${noisy} of ${all} medians the two rounds that they lie between, nine in ten sure, are further ` +
        `apart than ${noiseBound * 100} % of them. Is something else at work on this machine?`,
    );
  } else if (noisy > 0) {
    lines.push(
      `Of ${noisy} of ${all} medians the two rounds that they lie between, nine in ten sure, are further apart than ${noiseBound * 100} % of them: marked ~.`,
    );
  }
  if (checkpoints > 0) {
    lines.push(
      `**PostgreSQL made ${checkpoints} checkpoint${checkpoints === 1 ? '' : 's'} while this was measured**: what came behind paid for pages that were written whole.`,
    );
  }
  const failures = results.failures();
  if (failures.length > 0) {
    lines.push(
      `Failed, and without figures therefore:\n\n${failures.map((one) => `- ${oneLine(one)}`).join('\n')}`,
    );
  }
  return lines.join('\n\n');
}

function operationTable(operation, results, { cells }, names) {
  const concurrencies = cells.filter((cell) => cell.operation === operation).map((cell) => cell.concurrency);
  if (concurrencies.length === 0) return undefined;
  const rows = concurrencies.flatMap((concurrency) =>
    names.flatMap((name) => {
      const found = results.of(operation, concurrency, name);
      if (found === undefined) return [];
      if (found.failure) return [[concurrency, titles[name], 'failed', '', '', '', '', '']];
      const ratio = results.ratio(operation, concurrency, 'ours', name);
      return [
        [
          concurrency,
          titles[name],
          `${found.isNoisy ? '~' : ''}${shown(found.rate)}`,
          shown(found.p50),
          shown(found.p99),
          shown(found.serverMicros),
          shown(found.postgresMicros),
          name === 'ours' || ratio === undefined ? '' : `${ratio.toFixed(2)}×`,
        ],
      ];
    }),
  );
  const head = [
    'concurrency',
    'server',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'server CPU µs',
    'PostgreSQL CPU µs',
    'ours is',
  ];
  const title = operations[operation].title;
  return `## ${title[0].toUpperCase()}${title.slice(1)}\n\n${table(head, rows)}`;
}

function panels(results, { cells }, names) {
  return ['read', 'advance', 'check', 'page']
    .map((operation) => ({
      title: operations[operation].title,
      concurrencies: cells.filter((cell) => cell.operation === operation).map((cell) => cell.concurrency),
      operation,
    }))
    .filter(({ concurrencies }) => concurrencies.length > 0)
    .map(({ operation, ...given }) => ({
      ...given,
      lines: names.map((server) => ({
        server,
        title: titles[server],
        rates: given.concurrencies.map((concurrency) => results.of(operation, concurrency, server)?.rate),
      })),
    }));
}

function about({ options, postgres, pgbench, ours, names, minutes }) {
  const packages = [
    ...new Set(servers.filter(({ name }) => names.includes(name)).flatMap((one) => one.packages)),
  ];
  const { settings } = postgres;
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, ${minutes.toFixed(0)} minutes: ${options.rounds} rounds of ${options.seconds} s, ${options.states} states.`,
    `${availableParallelism()} cores (${cpus()[0].model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB; servers, PostgreSQL and load share them.`,
    `Node.js ${process.version}, PostgreSQL ${settings.server_version}; ${Object.entries(settings)
      .filter(([name]) => name !== 'server_version')
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}.`,
    `Packages: ${packages.map((name) => `${name} ${versionOf(name)}`).join(', ')}.`,
    ours === undefined
      ? undefined
      : `scopestate: history, validation and CSRF prevention on; ${ours.token ? 'a token is checked' : 'no token is checked: this build has none'}.`,
    pgbench ?? 'pgbench was not run: Debian’s is not installed, or it was not asked for.',
  ];
  return `## What was run\n\n${lines
    .filter(Boolean)
    .map((line) => `- ${line}`)
    .join('\n')}`;
}

const howToRepeat = `## How to repeat

\`npm ci && npm run bench\` on a machine that does nothing else. [README.md](README.md) says how it measures, and its options.`;

/** What profiling showed, written by hand: it is kept when everything else is written anew. */
async function notes() {
  const file = new URL('../NOTES.md', import.meta.url);
  return existsSync(file) ? (await readFile(file, 'utf8')).trim() : undefined;
}

function versionOf(name) {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Three digits that count. */
export function shown(number) {
  if (number === undefined) return '';
  return number >= 100 ? number.toFixed(0) : number.toPrecision(3);
}

const oneLine = (text) => `\`${text.replace(/[\s`]+/g, ' ').slice(0, 300)}\``;

export async function formatted(text, file) {
  const { format, resolveConfig } = await import('prettier');
  return format(text, { ...(await resolveConfig(file.pathname)), parser: 'markdown' });
}
