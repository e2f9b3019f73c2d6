import { afterEach, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { platformBinaries } from '../../src/database/embedded/postgres-binaries.js';
import {
  cleanUp,
  newDataDir,
  postmasterPid,
  query,
  removeLater,
  startOwner,
  type OwnerProcess,
} from './embedded-folders.js';

const nobody = 65534;
const isRoot = process.getuid?.() === 0;
const repository = fileURLToPath(new URL('../..', import.meta.url));
/** As in a container that refuses user namespaces: the command is not found. */
const withoutUnshare = { env: { PATH: '/nonexistent' } };

const works = (command: string, args: string[], uid?: number) =>
  promisify(execFile)(command, args, { cwd: '/', ...(uid === undefined ? {} : { uid, gid: uid }) }).then(
    () => true,
    () => false,
  );
const canUnshare = isRoot && (await works('unshare', ['--user', '--map-user=65534', 'true']));
const nobodyReachesClone = isRoot && (await works('ls', [join(repository, 'src')], nobody));

/** A test that this user or machine can't run says in its name what it needs. */
function testIf(can: boolean, needs: string): (name: string, body: () => Promise<void>) => void {
  return (name, body) => (can ? test(name, body) : test.skip(`${name} [skipped: needs ${needs}]`, body));
}
const rootTest = testIf(isRoot, 'root');

afterEach(cleanUp);

async function create(owner: OwnerProcess): Promise<void> {
  const { url, message } = await owner.answer;
  expect(message).toBeUndefined();
  await query(url ?? '', 'CREATE TABLE kept AS SELECT 42 AS answer');
}

async function expectKept(owner: OwnerProcess): Promise<void> {
  const { url, message } = await owner.answer;
  expect(message).toBeUndefined();
  expect(await query(url ?? '', 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
}

testIf(canUnshare, 'root and unshare')(
  'as root it runs in folders of mode 700, binaries and data, without copying anything',
  async () => {
    const dataDir = await newDataDir();
    const { initdb, postgres } = await platformBinaries();
    const native = join(dirname(dataDir), 'native');
    await cp(dirname(dirname(postgres)), native, { recursive: true, verbatimSymlinks: true });
    expect((await stat(dirname(dataDir))).mode & 0o777).toBe(0o700);
    const inNative = [initdb, postgres].map((path) => join(native, 'bin', path.split('/').at(-1) ?? ''));
    const owner = startOwner([dataDir, ...inNative]);
    await create(owner);
    expect(await realpath(join(dataDir, 'postgres'))).toBe(join(dataDir, 'postgres'));
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(0);
    expect(owner.log()).not.toContain('copied');
  },
);

rootTest('as root without unshare it runs as uid 65534 in place, where that user gets to', async () => {
  const dataDir = await newDataDir();
  await chmod(dirname(dataDir), 0o755);
  const owner = startOwner([dataDir], withoutUnshare);
  await create(owner);
  expect(await realpath(join(dataDir, 'postgres'))).toBe(join(dataDir, 'postgres'));
  expect((await stat(join(dataDir, 'postgres'))).uid).toBe(nobody);
  expect((await stat(join(dataDir, 'postgres.password'))).mode & 0o777).toBe(0o600);
  const pid = await postmasterPid(dataDir);
  await owner.kill('SIGKILL');
  const next = startOwner([dataDir], withoutUnshare);
  await expectKept(next);
  expect(await postmasterPid(dataDir)).toBe(pid);
});

rootTest(
  'as root without unshare, in folders of mode 700, binaries and data are kept elsewhere',
  async () => {
    const dataDir = await newDataDir();
    const { initdb, postgres } = await platformBinaries();
    const native = join(dirname(dataDir), 'native');
    await cp(dirname(dirname(postgres)), native, { recursive: true, verbatimSymlinks: true });
    const args = [
      dataDir,
      ...[initdb, postgres].map((path) => join(native, 'bin', path.split('/').at(-1) ?? '')),
    ];

    const owner = startOwner(args, withoutUnshare);
    await create(owner);
    const warnings = owner
      .log()
      .split('\n')
      .filter((line) => line.includes('"level":"warn"'))
      .map((line) => JSON.parse(line) as { to?: string; pgdata?: string });
    const binaries = warnings.find(({ to }) => to)?.to ?? '';
    removeLater(binaries);
    const pgdata = await realpath(join(dataDir, 'postgres'));
    expect(binaries).toMatch(/^\/var\/lib\/scopestate\/postgres-binaries-/);
    expect(pgdata).toMatch(/^\/var\/lib\/scopestate\/\w{12}\/postgres$/);
    expect(warnings.map((warning) => warning.pgdata)).toContain(pgdata);

    const second = startOwner(args, withoutUnshare);
    expect((await second.answer).message).toContain('another scopestate server');
    const pid = await postmasterPid(dataDir);
    await owner.kill('SIGKILL');
    const third = startOwner(args, withoutUnshare);
    await expectKept(third);
    expect(await postmasterPid(dataDir)).toBe(pid);
    await third.kill('SIGTERM');
    const fourth = startOwner(args, withoutUnshare);
    await expectKept(fourth);
    await fourth.kill('SIGTERM');
  },
);

testIf(canUnshare, 'root and unshare')(
  'a folder made with unshare goes on without it, and with it again',
  async () => {
    const dataDir = await newDataDir();
    await chmod(dirname(dataDir), 0o755);
    const first = startOwner([dataDir]);
    await create(first);
    await first.kill('SIGTERM');
    for (const options of [withoutUnshare, {}]) {
      const owner = startOwner([dataDir], options);
      await expectKept(owner);
      await owner.kill('SIGTERM');
    }
  },
);

testIf(canUnshare, 'root and unshare')(
  'data in a folder that uid 65534 can not reach is not passed over for an empty database',
  async () => {
    const dataDir = await newDataDir();
    const first = startOwner([dataDir]);
    await create(first);
    await first.kill('SIGTERM');
    const second = startOwner([dataDir], withoutUnshare);
    expect((await second.answer).message).toContain("can't reach");
    await expectKept(startOwner([dataDir]));
  },
);

const ordinary = testIf(nobodyReachesClone, 'root, and a clone that an ordinary user can read');

ordinary('an ordinary user runs it, and takes it over after kill -9', async () => {
  const dataDir = await newDataDir();
  await chown(dirname(dataDir), nobody, nobody);
  const user = { uid: nobody, gid: nobody };
  const owner = startOwner([dataDir], user);
  await create(owner);
  await owner.kill('SIGKILL');
  const next = startOwner([dataDir], user);
  await expectKept(next);
  await next.kill('SIGTERM');
});

ordinary('an ordinary user is told of a folder that belongs to somebody else', async () => {
  const dataDir = await newDataDir();
  await chown(dirname(dataDir), nobody, nobody);
  const owner = startOwner([dataDir], { uid: nobody, gid: nobody });
  await create(owner);
  await owner.kill('SIGTERM');
  await chown(join(dataDir, 'postgres'), 0, 0);
  await chmod(join(dataDir, 'postgres'), 0o755);
  const refused = startOwner([dataDir], { uid: nobody, gid: nobody });
  expect((await refused.answer).message).toContain('belongs to uid 0, and scopestate runs as uid 65534');

  const closed = await newDataDir();
  await mkdir(closed);
  await chmod(dirname(closed), 0o755);
  await chmod(closed, 0o700);
  expect((await startOwner([closed], { uid: nobody, gid: nobody }).answer).name).toBe('OperatorError');
});
