import { beforeAll, expect, test } from '@jest/globals';
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Writes one event as the server does. */
const program = `
  import { createLog } from '${process.cwd()}/dist/log.js';
  const log = createLog('info');
  log.info({ event: 'ready', url: 'http://127.0.0.1:4000' }, 'scopestate listens');
  log.debug('not at this level');
  log.warn({ event: 'told', caller: 'a\\r\\n{"level":"fatal"}\\u001b[2J\\u2028\\u202e' }, 'of postgresql://rating:hunter2@db/states, scst_AbC-12_xyz');
  log.error({ err: Object.assign(new Error('broken'), { detail: 'Key (x)=(hunter2)', code: '23505' }) }, 'it failed');
  process.exit();
`;
const node = [process.execPath, '--input-type=module', '--eval', program];

/** Runs a command with a pseudo-terminal as its standard streams, and prints what came out of it. */
const pty = `import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)`;
const hasPty = spawnSync('python3', ['-c', 'import pty; pty.openpty()']).status === 0;

let lines: string[];

beforeAll(async () => {
  const [file, ...args] = node;
  lines = (await run(file!, args)).stderr.trimEnd().split('\n');
});

test('writes one JSON line an event where nobody watches', () => {
  const events = lines.map((line) => JSON.parse(line) as Record<string, any>);
  expect(events).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      event: 'ready',
      url: 'http://127.0.0.1:4000',
      msg: 'scopestate listens',
    },
    expect.objectContaining({
      level: 'warn',
      caller: 'a\r\n{"level":"fatal"}\u001b[2J\u2028\u202e',
      msg: 'of postgresql://rating:***@db/states, scst_***',
    }),
    expect.objectContaining({ level: 'error', msg: 'it failed' }),
  ]);
  for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
  expect(events[2]!['err']).toMatchObject({ code: '23505' });
  expect(lines.join()).not.toContain('hunter2');
  expect(events[2]!['err'].stack).toMatch(/^Error: broken\n/);
});

// Without python3 there is nothing here that makes a terminal.
(hasPty ? test : test.skip)(
  'writes readable lines to a terminal, the last one before an exit too',
  async () => {
    const terminal = { ...process.env, TERM: 'xterm-256color', NO_COLOR: '', FORCE_COLOR: '' };
    const { stdout: shown } = await run('python3', ['-c', pty, ...node], { env: terminal });
    expect(plain(shown)).toMatch(
      /^\[[\d:.]+\] INFO: scopestate listens \{"url":"http:\/\/127\.0\.0\.1:4000"\}\r?\n/,
    );
    expect(plain(shown)).toMatch(/ERROR: it failed[^]*Error: broken/);
    expect(plain(shown)).not.toContain('not at this level');
  },
);

function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- colours are control sequences
  return text.replace(/\u001b\[[\d;]*m/g, '');
}
