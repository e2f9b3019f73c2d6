// The process that makes the load: started by load.js, told what to do in messages.
import { Walk } from '../data/units.js';
import { Connection } from './connection.js';
import { requestOf } from '../work/requests.js';

const sampleEvery = 50;
const keptAdvances = 20;

const targets = new Map();
process.on('message', ({ id, call, ...given }) => {
  calls[call](given).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: error.stack }),
  );
});
process.on('disconnect', () => process.exit());

const calls = {
  add({ name, ...target }) {
    targets.set(name, {
      ...target,
      looks: new Walk(target.states),
      advances: new Walk(target.states),
      connections: [],
    });
    return Promise.resolve();
  },

  /** Opens the connections of the next rounds. */
  async open({ name, concurrency }) {
    const target = targets.get(name);
    target.connections = await Promise.all(
      Array.from({ length: concurrency }, () => Connection.open(target.port)),
    );
  },

  close({ name }) {
    const target = targets.get(name);
    for (const connection of target.connections) connection.close();
    target.connections = [];
    return Promise.resolve();
  },

  /** Sends on all connections for so long, waits for the last answers, and counts those too. */
  async run({ name, operation, millis }) {
    const target = targets.get(name);
    const operations = Array.isArray(operation) ? operation : [operation];
    const latencies = [];
    const advances = [];
    const failures = [];
    const startedAt = performance.now();
    let turn = 0;
    const work = async (connection) => {
      do {
        const { text, expected } = requestOf(target, operations[turn % operations.length]);
        const isSample = turn % sampleEvery === 0;
        turn += 1;
        const sentAt = performance.now();
        const { status, body } = await connection.send(text);
        latencies.push(performance.now() - sentAt);
        const failure = faultIn(status, body, isSample ? expected : undefined);
        if (failure) failures.push(failure);
        if (isSample && expected.advances) advances.push(...expected.advances.slice(0, keptAdvances));
      } while (performance.now() - startedAt < millis && failures.length === 0);
    };
    await Promise.all(target.connections.map(work));
    const elapsedMillis = performance.now() - startedAt;
    latencies.sort((one, other) => one - other);
    return {
      requests: latencies.length,
      elapsedMillis,
      p50: latencies[Math.floor(latencies.length * 0.5)],
      p99: latencies[Math.floor(latencies.length * 0.99)],
      advances: advances.slice(-keptAdvances),
      failure: failures[0],
    };
  },
};

/** Every answer must be a success; of a sample, all that it says is checked. */
function faultIn(status, body, expected) {
  if (status !== 200 || body.includes('"errors"')) return `status ${status}: ${body.slice(0, 500)}`;
  if (expected === undefined) return undefined;
  const fault = expected.faultIn(JSON.parse(body));
  return fault && `${fault}: ${body.slice(0, 500)}`;
}
