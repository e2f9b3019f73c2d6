import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { quickStart } from '../support/command.js';
import { createTestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';
import { hostileTexts, sendEverywhere } from './hostile-texts.js';
import { useAttackedServer } from './attacked-server.js';

/** Of a time, a level, and what has happened. */
const harmful = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

describe('whatever a caller sends, in every place,', () => {
  const attacked = useAttackedServer({ LOG_LEVEL: 'trace' });

  test.each(hostileTexts)('%s: one JSON line an event', async (_name, text) => {
    const seen = attacked.server.logLines.length;
    await sendEverywhere(attacked.server.url, text);
    await attacked.strike('{ __typename }');
    const lines = attacked.server.logLines.slice(seen);
    expect(lines.length).toBeGreaterThanOrEqual(10);
    for (const line of lines) {
      expect(line).not.toMatch(harmful);
      expect(JSON.parse(line)).not.toMatchObject({ event: 'forged' });
    }
    const reasons = lines.map((line) => (JSON.parse(line) as { reason?: string }).reason);
    if (text.isWellFormed()) expect(reasons).toContain(text);
  });
});

/** A terminal for a server: its standard error is a pseudo-terminal of Python's, which passes on what it shows. */
const pty = `import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)`;
const hasPty = spawnSync('python3', ['-c', 'import pty; pty.openpty()']).status === 0;

// Without python3 there is nothing here that makes a terminal.
(hasPty ? test : test.skip)('and so it is on a terminal, where no escape sequence arrives', async () => {
  const database = await createTestDatabase();
  const settings = { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'trace', NO_COLOR: '1' };
  const server = spawn('python3', ['-c', pty, process.execPath, 'dist/main.js', 'serve'], {
    env: { ...quickStart, ...settings, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'close');
  let shown = '';
  server.stdout.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk));
  const shows = (what: RegExp) => until(`the terminal shows ${what}`, () => what.test(shown));
  try {
    await shows(/listens on \S+/);
    const [, url] = /listens on (\S+)/.exec(shown)!;
    for (const [, text] of hostileTexts) await sendEverywhere(url!, text);
    await fetch(new URL('/the-last-one', url));
    await shows(/the-last-one/);
  } finally {
    server.kill(); // the terminal goes with it, which ends the server
    await ended;
    await database.drop();
  }
  const lines = shown.trimEnd().split('\r\n');
  expect(lines.length).toBeGreaterThan(10 * hostileTexts.length);
  for (const line of lines) {
    expect(line).toMatch(/^\[[\d:.]+\] (TRACE|DEBUG|INFO|WARN|ERROR)( <anonymous>)?: (?!forged)/);
    expect(line).not.toMatch(harmful);
  }
});
