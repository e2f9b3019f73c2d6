import { isLoopback } from '../access/open-to-all.rules.js';
import type { Config } from '../config.js';
import { well, wrong, type Finding } from './finding.js';

const subject = 'callers';

/** Who could do what, as the server would start. */
export function examineWayIn({ auth, host }: Pick<Config, 'auth' | 'host'>): Finding[] {
  if (auth === 'token') return [well(subject, 'each needs a token')];
  if (isLoopback(host)) return [well(subject, 'only programs on this machine get in, and may do everything')];
  return [
    wrong(
      subject,
      `whoever reaches ${host} could do everything; a server refuses to start like that`,
      'set SCOPESTATE_AUTH=token and make tokens with "scopestate token create", or set HOST=127.0.0.1',
    ),
  ];
}
