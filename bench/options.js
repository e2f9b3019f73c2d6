import { parseArgs } from 'node:util';
import { servers } from './peers/peers.js';
import { operations, quickConcurrencies } from './work/operations.js';

const usage = `npm run bench -- [options]

  --quick            a look in about three minutes: fewer states, rounds and concurrencies
  --rounds N         how often each is measured; 8 unless told
  --seconds N        how long a measurement lasts; 1 unless told
  --states N         how many states the table has; 1000000 unless told
  --only a,b         which operations: ${Object.keys(operations).join(', ')}
  --servers a,b      which servers: ${servers.map(({ name }) => name).join(', ')}, pgbench`;

/** Between no two of fewer the median lies nine in ten sure. */
const leastRounds = 5;
/** What may be told, and all is measured nevertheless. */
const told = ['quick', 'help', 'seconds', 'rounds'];

/** What to measure, of the command line. Names that do not exist end the program. */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      ...Object.fromEntries(
        ['rounds', 'seconds', 'states', 'only', 'servers'].map((name) => [name, { type: 'string' }]),
      ),
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit();
  }
  const { quick } = values;
  const rounds = numberOf('rounds', values.rounds ?? (quick ? 2 : 8), 1);
  return {
    quick,
    rounds,
    seconds: numberOf('seconds', values.seconds ?? (quick ? 0.5 : 1), 0.05),
    warmSeconds: quick ? 0.1 : 0.2,
    warmUpSeconds: quick ? 0.3 : 5,
    states: numberOf('states', values.states ?? (quick ? 100_000 : 1_000_000), 20_000),
    cells: cellsOf(namesOf('only', values.only, Object.keys(operations)), quick),
    servers: namesOf('servers', values.servers, [...servers.map(({ name }) => name), 'pgbench']),
    isWhole: !quick && rounds >= leastRounds && Object.keys(values).every((name) => told.includes(name)),
  };
}

function cellsOf(names, quick) {
  return names.flatMap((operation) => {
    const quickOnes = quickConcurrencies[operation] ?? [1, 64, 512];
    const concurrencies = quick ? quickOnes : operations[operation].concurrencies;
    return concurrencies.map((concurrency) => ({ operation, concurrency }));
  });
}

function numberOf(name, text, least) {
  const number = Number(text);
  if (Number.isNaN(number) || number < least) throw new Error(`--${name} is ${text}: at least ${least}`);
  return number;
}

function namesOf(name, text, known) {
  const names = text?.split(',') ?? known;
  const strange = names.find((one) => !known.includes(one));
  if (strange !== undefined) throw new Error(`--${name} has ${strange}; there are ${known.join(', ')}`);
  return names;
}
