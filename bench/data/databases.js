// One database for each server: the same table, so that no server lives on the dead rows of another.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { fillTable } from './units.js';

const program = new URL('../../dist/main.js', import.meta.url).pathname;

export async function withClient(url, work) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export function urlOf(adminUrl, database) {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** A database of ours as its migrations make it, filled. */
export async function makeFilledDatabase(adminUrl, name, states) {
  await withClient(adminUrl, (client) => client.query(`create database ${name}`));
  const url = urlOf(adminUrl, name);
  await promisify(execFile)(process.execPath, [program, 'migrate', 'up'], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
  });
  await withClient(url, async (client) => {
    await client.query(`set scopestate.records_history = 'on'`); // filling is nobody's change
    await client.query(fillTable, [states]);
    await client.query('vacuum (freeze, analyze)');
  });
  return url;
}

/** Copies of it for the peers, without what only we do: no triggers. */
export async function cloneForPeers(adminUrl, template, names) {
  const clone = (client, from, name) =>
    client.query(`create database ${name} template ${from} strategy file_copy`);
  await withClient(adminUrl, (client) => clone(client, template, 'bench_peers'));
  await withClient(urlOf(adminUrl, 'bench_peers'), async (client) => {
    const { rows } = await client.query(
      `select tgname from pg_trigger where tgrelid = 'cloudkitty_storage_states'::regclass and not tgisinternal`,
    );
    for (const { tgname } of rows) {
      await client.query(`drop trigger "${tgname}" on cloudkitty_storage_states`);
    }
  });
  await withClient(adminUrl, async (client) => {
    for (const name of names) await clone(client, 'bench_peers', name);
  });
}

/**
 * The first change of a page after a checkpoint writes the whole page into the log. Collectors write each page many
 * times between two checkpoints; in a short run the first times would be most of what is measured. So each page is
 * written once here, and no checkpoint comes while measuring.
 */
export async function touchPages(url) {
  await withClient(url, async (client) => {
    await client.query(`set scopestate.records_history = 'on'`);
    await client.query(
      `update cloudkitty_storage_states set version = version + 1
       where ctid in (select distinct on ((ctid::text::point)[0]) ctid from cloudkitty_storage_states)`,
    );
    await client.query('vacuum (analyze)');
  });
}

export async function vacuum(urls) {
  for (const url of urls) {
    await withClient(url, (client) => client.query('vacuum'));
  }
}
