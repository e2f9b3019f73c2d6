import { wrong, type Finding } from './finding.js';

/** What PostgreSQL, or the way to it, said; and what is usually behind it. */
const advices: Record<string, [found: string, advice: string]> = {
  ECONNREFUSED: ['nothing listens there', 'start PostgreSQL, or mend host and port'],
  ENOTFOUND: ['its host name is not known', 'mend the host, or the name service'],
  EAI_AGAIN: ['the name service does not answer', 'mend the name service, or give an address'],
  ENOENT: [
    'its socket, or a file of certificates, is not there',
    'start PostgreSQL, or mend the folder of the socket, or the path of the file',
  ],
  EACCES: ['you may not use its socket', 'run scopestate as a user that may'],
  ETIMEDOUT: ['no answer comes', 'look for a firewall, and for a server that is frozen'],
  EHOSTUNREACH: ['no way leads to its host', 'look at the network and the firewall'],
  '28P01': ['it refuses the password', 'mend user and password (special characters percent-encoded)'],
  '28000': ['it does not let that user in', 'mend the user, or pg_hba.conf of the server'],
  '3D000': ['the database is not there', 'make it (createdb --encoding=UTF8), or mend its name'],
  '42501': ['that user may not connect', 'grant connect on the database to that user'],
  '53300': [
    'all its connections are taken',
    'raise max_connections, or run fewer servers (each takes up to 20)',
  ],
  '57P03': ['it is starting up or shutting down', 'wait until it takes connections'],
};

export function notReached(error: unknown): Finding {
  const { code = '', message } = error as { code?: string; message: string };
  const timedOut = /time(d )?out/i.test(message) ? 'ETIMEDOUT' : code;
  const [found, advice] = advices[timedOut] ?? [
    message || code,
    'see the log of PostgreSQL, and DATABASE_URL',
  ];
  const said = message && message !== found ? ` (${message})` : '';
  return wrong('database', `can't be reached: ${found}${said}`, advice);
}
