// A server process in miniature: owns the embedded PostgreSQL of the folder given until SIGTERM, so that tests can kill
// it, start two at once, or run it as another user. Prints one JSON line: { url, port } or { name, message }.
import { registerHooks } from 'node:module';

// Node strips the types itself; only the sources' `.js` has to lead to the `.ts` beside it.
registerHooks({
  resolve(specifier, context, next) {
    const isSource = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
    return next(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});

const { startEmbeddedPostgres } = await import('../../src/database/embedded/embedded-postgres.ts');
const { createLog } = await import('../../src/log.ts');
const [dataDir, initdb, postgres] = process.argv.slice(2);

try {
  const database = await startEmbeddedPostgres({
    dataDir,
    log: createLog('info'),
    ...(initdb && postgres ? { binaries: { initdb, postgres } } : {}),
  });
  process.once('SIGTERM', () => void database.stop().then(() => process.exit(0)));
  void database.lost.then(() => process.exit(3));
  console.log(JSON.stringify({ url: database.url, port: database.port }));
} catch (error) {
  console.log(JSON.stringify({ name: error.name, message: error.message }));
  process.exitCode = 1;
}
