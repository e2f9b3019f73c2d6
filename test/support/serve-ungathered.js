// A server that shares no statements between requests: what races come to must not depend on that.
import { once } from 'node:events';
import { startApp } from '../../dist/app.js';
import { readConfig } from '../../dist/config.js';
import { createLog } from '../../dist/log.js';

const config = readConfig();
const log = createLog(config.logLevel);
const stopping = once(process, 'SIGTERM');
const app = await startApp(config, log, { gather: false });
log.info({ event: 'ready', url: `${app.url}/graphql` }, 'ready');
await stopping;
await app.stop();
