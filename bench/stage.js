// All that is measured, running: PostgreSQL, databases and their servers, and the load generator.
import pg from 'pg';
import { cloneForPeers, makeFilledDatabase, touchPages, urlOf, withClient } from './data/databases.js';
import { startLoad } from './load/load.js';
import { startPostgres } from './machine/postgres.js';
import { servers } from './peers/peers.js';
import { deepCursorOf, expectedPages } from './work/expected-pages.js';

/** Every server on its own copy of one table. `stop` ends all of it; so does a start that fails half-way. */
export function setStage({ states, names, say }) {
  return onStage(async (stage) => {
    const { postgres, add } = stage;
    say(`filling a table with ${states} states`);
    const template = urlOf(postgres.url, 'bench_ours');
    await makeFilledDatabase(postgres.url, 'bench_ours', states);
    const peers = names.filter((name) => name !== 'ours');
    await cloneForPeers(
      postgres.url,
      'bench_ours',
      peers.map((name) => `bench_${name}`),
    );
    const expected = await withClient(template, expectedPages);
    const urls = Object.fromEntries(names.map((name) => [name, urlOf(postgres.url, `bench_${name}`)]));
    for (const name of names) await touchPages(urls[name]);
    for (const server of servers.filter(({ name }) => names.includes(name))) {
      say(`starting ${server.title}`);
      await add(server, { url: urls[server.name], states, expected });
    }
    return { ...stage, urls };
  });
}

/** Ours alone, on tables of several sizes, by a Node.js with such options. */
export function setStageOfSizes({ sizes, nodeOptions, say }) {
  return onStage(async (stage) => {
    const { postgres, add } = stage;
    const ours = servers.find(({ name }) => name === 'ours');
    const urls = {};
    for (const states of sizes) {
      say(`filling a table with ${states} states`);
      const name = `bench_${states}`;
      const url = await makeFilledDatabase(postgres.url, name, states);
      await touchPages(url);
      await add(
        { ...ours, name: String(states), start: (given) => ours.start({ ...given, nodeOptions }) },
        { url, states, expected: await withClient(url, expectedPages) },
      );
      urls[name] = url;
    }
    return { ...stage, urls };
  });
}

async function onStage(furnish) {
  const stopping = [];
  const stop = async () => {
    const failures = [];
    for (const end of stopping.splice(0).toReversed()) {
      await end().catch((error) => failures.push(error)); // the others have to be ended all the same
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    const postgres = await startPostgres();
    stopping.push(postgres.stop);
    const load = startLoad();
    stopping.push(load.stop);
    const targets = [];
    const add = async (server, { url, states, expected: { pages, beforeLast } }) => {
      const running = await server.start({ name: server.name, url, folder: postgres.folder });
      stopping.push(running.stop);
      // For what is asked after a measurement. It stays open: a connection that ends costs PostgreSQL time later.
      const client = new pg.Client(url);
      await client.connect();
      stopping.push(() => client.end());
      const { name, title, dialect, ownCursors } = server;
      const target = { ...running, name, title, dialect, ownCursors, client };
      const deepCursor = await deepCursorOf(target, beforeLast);
      const { port, token } = target;
      await load.add({ name, dialect, port, token, states, pages, deepCursor });
      targets.push(target);
    };
    return await furnish({ postgres, load, targets, add, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}
