import type { Identity, WayIn } from '../caller/caller.js';
import { allUnits } from '../caller/grant.rules.js';
import { Unauthenticated } from '../fault.js';
import type { Known, TokenLookup } from './token-lookup.js';
import { TokenTexts } from './token-text.js';
import { idOfToken } from './token.rules.js';

const anybody: Identity = { name: 'anonymous', role: 'admin', grants: allUnits };

const howTo = '"Authorization: Bearer scst_…"';

/** By `Authorization: Bearer`. A token that is sent must be right, also where none is needed. */
export function createTokenWayIn(lookup: TokenLookup, { isNeeded }: { isNeeded: boolean }): WayIn {
  const texts = new TokenTexts();
  const letIn = (text: string, known: Known | undefined): Identity => {
    if (texts.isTextOf(text, known?.digest) && known?.token) return known.token;
    throw new Unauthenticated('this token is not in force: it is unknown, expired or revoked', {
      wasGiven: true,
    });
  };
  return ({ authorization }) => {
    if (authorization === undefined) {
      if (!isNeeded) return anybody;
      throw new Unauthenticated(`a token is needed: send ${howTo}; "scopestate token create" makes one`);
    }
    const text = typeof authorization === 'string' ? /^Bearer +(\S+)$/i.exec(authorization)?.[1] : undefined;
    const id = text && idOfToken(text);
    if (!text || !id) {
      throw new Unauthenticated(`authorization: found no token; allowed: ${howTo}`, { wasGiven: true });
    }
    const known = lookup.find(id);
    return known instanceof Promise ? known.then((late) => letIn(text, late)) : letIn(text, known);
  };
}
