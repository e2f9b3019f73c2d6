import { once } from 'node:events';
import type { Command } from 'commander';
import type { AppOptions } from '../app.js';
import { readConfig } from '../config.js';
import { OperatorError } from '../fault.js';
import { createLog } from '../log.js';
import { readTrustedDocuments } from './trusted-documents-file.js';
import { stopSignal } from './stop-signal.js';

const exitGraceMillis = 100;

interface ServeOptions extends Omit<AppOptions, 'trustedDocuments'> {
  /** path of a file */
  trustedDocuments?: string;
}

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Run the server until it is told to stop (SIGTERM, SIGINT).')
    .option('--migrate', 'apply pending migrations first; the embedded database is always migrated')
    .option('--insecure-no-auth', 'listen beyond this machine although SCOPESTATE_AUTH is none')
    .option(
      '--trusted-documents <file>',
      'let only these documents run: a JSON object of names and GraphQL documents',
    )
    .action(async (options: ServeOptions) => {
      const config = readConfig();
      const { trustedDocuments: path } = options;
      const trustedDocuments = path === undefined ? undefined : await readTrustedDocuments(path, config);
      const log = createLog(config.logLevel);
      const signal = stopSignal();
      const stopping = once(signal, 'abort').then(() => String(signal.reason));
      const { startApp } = await import('../app.js');
      const app = await startApp(config, log, { ...options, trustedDocuments });
      log.info({ event: 'ready', url: `${app.url}/graphql` }, `scopestate listens on ${app.url}/graphql`);
      const reason = await Promise.race([stopping, app.failed]);
      const failure = reason instanceof OperatorError ? reason : undefined;
      log.info({ event: 'stopping', reason: failure?.message ?? reason }, 'stopping');
      try {
        await app.stop();
      } finally {
        // The session of a caller who was cut off may still be open: it is not waited for.
        setTimeout(() => process.exit(), exitGraceMillis).unref();
      }
      log.info({ event: 'stopped' }, 'stopped');
      if (failure) throw failure;
    });
}
