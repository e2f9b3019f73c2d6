import type { Command } from 'commander';
import { readConfig, type Config } from '../config.js';
import { examine } from '../doctor/examine.js';
import { well, wrong, type Finding } from '../doctor/finding.js';
import { SettingsError } from '../fault.js';
import { createLog } from '../log.js';
import { escapeForPeople } from '../log-text.rules.js';
import { prepareDatabase } from '../storage.js';

const marks = { well: 'ok   ', note: 'note ', wrong: 'WRONG' } as const;

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Say what is wrong with settings and database, and what to do; changes nothing.')
    .action(async () => {
      const findings = await findingsOf();
      for (const finding of findings) print(finding);
      const faults = findings.filter(({ level }) => level === 'wrong').length;
      const things = faults === 1 ? '1 thing is' : `${faults} things are`;
      process.stdout.write(faults === 0 ? 'All is well.\n' : `${things} wrong.\n`);
      if (faults > 0) process.exitCode = 1;
    });
}

async function findingsOf(): Promise<Finding[]> {
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const advice = 'mend it in the environment or in .env; README.md has all settings';
    return error.faults.map((fault) => wrong('settings', fault, advice));
  }
  const log = createLog('silent'); // what is wrong is said here
  return [
    well('settings', 'all can be read'),
    ...(await examine(config, (url) => prepareDatabase({ url, log }))),
  ];
}

function print({ level, subject, found, advice }: Finding): void {
  process.stdout.write(`${marks[level]}  ${subject.padEnd(11)}  ${escapeForPeople(found)}\n`);
  if (advice !== undefined) process.stdout.write(`${' '.repeat(20)}→ ${escapeForPeople(advice)}\n`);
}
