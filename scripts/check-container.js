// There is no Docker where the checks run: follows the Dockerfile's own lines in a scratch folder instead. The production
// install is done anew; the build stage is this checkout, whose dist/ the checks have just built with the same commands.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { environmentOf, execForm, readDockerfile, stepOf, stepsOf } from './read-dockerfile.js';

const readyMillis = 60_000;
const exitMillis = 10_000; // Docker kills a container that takes longer, unless told otherwise
const isRoot = process.getuid?.() === 0;
const user = isRoot ? { uid: 65534, gid: 65534 } : { uid: process.getuid(), gid: process.getgid() };

const stages = readDockerfile('Dockerfile');
const image = stages.at(-1);
const scratch = mkdtempSync(join(tmpdir(), 'scopestate-container-'));
chmodSync(scratch, 0o755); // the unprivileged user has to get through
let server;
try {
  checkBuildStage(stages.find(({ name }) => name === 'build'));
  makeStage(stages.find(({ name }) => name === 'dependencies'));
  makeStage(image);
  await runImage();
} finally {
  if (server?.exitCode === null && server.signalCode === null) {
    server.kill('SIGINT');
    await once(server, 'exit');
  }
  execFileSync('chmod', ['-R', 'u+w', scratch]);
  rmSync(scratch, { recursive: true });
}

function checkBuildStage(stage) {
  expectEqual(stepsOf(stage, 'RUN'), ['npm ci', 'npm run build'], 'what the build stage runs');
  const ignored = readFileSync('.dockerignore', 'utf8').split('\n');
  for (const file of ['.env', '.git', '.scopestate', 'dist', 'node_modules']) {
    if (!ignored.includes(file)) throw new Error(`.dockerignore lets ${file} into the build`);
  }
}

/** A stage's folders, under the scratch folder as under the root of its file system. */
function makeStage(stage) {
  const workdir = inStage(stage, stepOf(stage, 'WORKDIR'));
  mkdirSync(workdir, { recursive: true });
  for (const { word, rest } of stage.steps) {
    if (word === 'COPY') copy(rest, workdir);
    if (word === 'RUN') runStep(stage, rest, workdir);
  }
}

function copy(rest, workdir) {
  const [, from, paths] = /^(?:--from=(\S+) )?(.*)$/.exec(rest);
  const sources = paths.split(' ');
  const target = resolve(workdir, sources.pop());
  for (const source of sources) {
    const path =
      from === undefined
        ? source
        : inStage(
            stages.find(({ name }) => name === from),
            source,
          );
    cpSync(path, from === undefined ? join(target, basename(source)) : target, {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}

/** Absolute folders are the stage's own, and its user is the one that the server will run as. */
function runStep(stage, command, cwd) {
  const here = stepsOf(stage, 'VOLUME').reduce(
    (text, volume) => text.replaceAll(` ${volume}`, ` ${inStage(stage, volume)}`),
    command.replaceAll('node:node', `${user.uid}:${user.gid}`),
  );
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)),
  );
  execFileSync('sh', ['-c', here], {
    cwd,
    env: { ...environment, npm_config_prefer_offline: 'true' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function runImage() {
  const workdir = inStage(image, stepOf(image, 'WORKDIR'));
  for (const tool of ['jest', 'typescript', 'eslint', '@graphiql']) {
    if (existsSync(join(workdir, 'node_modules', tool))) throw new Error(`the image has ${tool} in it`);
  }
  const bin = join(scratch, 'node'); // the image's own Node, where any user may run it
  mkdirSync(bin);
  copyFileSync(process.execPath, join(bin, 'node'));
  execFileSync('chmod', ['-R', 'a-w,a+rX', workdir]);

  expectEqual(stepOf(image, 'USER'), 'node', 'the user');
  const given = environmentOf(image);
  const dataDir = inStage(image, stepOf(image, 'VOLUME'));
  expectEqual(given.SCOPESTATE_DATA_DIR, stepOf(image, 'VOLUME'), 'the data folder');
  expectEqual(stepOf(image, 'EXPOSE'), given.PORT, 'the port that is exposed');
  const port = String(await freePort());
  const env = { ...given, PATH: bin, SCOPESTATE_DATA_DIR: dataDir, PORT: port };
  const container = { cwd: workdir, env, ...(isRoot && user) };

  const [file, ...args] = [...execForm(stepOf(image, 'ENTRYPOINT')), ...execForm(stepOf(image, 'CMD'))];
  server = spawn(join(bin, file), args, { ...container, stdio: ['ignore', 'inherit', 'pipe'] });
  let log = '';
  server.stderr.on('data', (text) => (log += text));
  try {
    await useServer(`http://127.0.0.1:${port}`, container, dataDir);
  } catch (error) {
    process.stderr.write(log);
    throw error;
  }
}

async function useServer(url, container, dataDir) {
  await untilReady(`${url}/readyz`);
  const [, check] = /CMD (\[.*\])$/.exec(stepOf(image, 'HEALTHCHECK')) ?? [];
  const [probe, ...probeArgs] = execForm(check);
  execFileSync(join(container.env.PATH, probe), probeArgs, container);
  await checkPlayground(url);

  const postmaster = Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  const exit = once(server, 'exit');
  server.kill(stepOf(image, 'STOPSIGNAL'));
  const late = delay(exitMillis, ['no exit in time'], { ref: false });
  expectEqual((await Promise.race([exit, late]))[0], 0, 'the exit code');
  if (existsSync(`/proc/${postmaster}`)) throw new Error('the embedded PostgreSQL was left running');
  if (existsSync(join(dataDir, 'postgres', 'postmaster.pid')))
    throw new Error('PostgreSQL was not shut down');
}

/** The page, and each file that it names: they are part of the build's output. */
async function checkPlayground(url) {
  const page = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
  const html = await page.text();
  const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
    ([, path]) => new URL(path, `${url}/graphql`),
  );
  if (!page.ok || files.length === 0) throw new Error(`the playground answers ${page.status}: ${html}`);
  for (const file of files) expectEqual((await fetch(file)).status, 200, `the status of ${file.pathname}`);
}

async function untilReady(url) {
  const deadline = performance.now() + readyMillis;
  while (
    !(await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`);
    if (performance.now() > deadline) throw new Error('the server was not ready in time');
    await delay(50);
  }
}

function inStage(stage, path) {
  return stage.name === 'build'
    ? resolve(path.replace(/^\/app\//, ''))
    : join(scratch, stage.name ?? 'image', path);
}

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

function expectEqual(found, wanted, what) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: found ${JSON.stringify(found)}; wanted: ${JSON.stringify(wanted)}`);
  }
}
