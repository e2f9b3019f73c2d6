// All that is measured, running: PostgreSQL, a database and a server each, and the load generator.
import { cloneForPeers, makeFilledDatabase, touchPages, urlOf, withClient } from './data/databases.js';
import { startLoad } from './load/load.js';
import { startPostgres } from './machine/postgres.js';
import { servers } from './peers/peers.js';
import { deepCursorOf, expectedPages } from './work/expected-pages.js';

/** Everything ends with `stop`, also when the start fails half-way. */
export async function setStage({ states, names, say }) {
  const stopping = [];
  const stop = async () => {
    for (const end of stopping.splice(0).toReversed()) await end();
  };
  try {
    const postgres = await startPostgres();
    stopping.push(postgres.stop);
    const load = startLoad();
    stopping.push(load.stop);
    say(`filling a table with ${states} states`);
    const url = await makeFilledDatabase(postgres.url, 'bench_ours', states);
    const peers = names.filter((name) => name !== 'ours');
    await cloneForPeers(
      postgres.url,
      'bench_ours',
      peers.map((name) => `bench_${name}`),
    );
    const { pages, beforeLast } = await withClient(url, expectedPages);
    const targets = [];
    const urls = Object.fromEntries(names.map((name) => [name, urlOf(postgres.url, `bench_${name}`)]));
    for (const name of names) await touchPages(urls[name]);
    for (const server of servers.filter(({ name }) => names.includes(name))) {
      say(`starting ${server.title}`);
      const running = await server.start({ url: urls[server.name], folder: postgres.folder });
      stopping.push(running.stop);
      const { name, dialect } = server;
      const target = { ...running, name, dialect, url: urls[name], title: server.title };
      const deepCursor = await deepCursorOf(target, beforeLast);
      await load.add({ name, dialect, port: target.port, token: target.token, states, pages, deepCursor });
      targets.push(target);
    }
    return { postgres, load, targets, urls, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
