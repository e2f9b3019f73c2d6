import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

export interface NewToken {
  readonly id: string;
  /** told once, and kept nowhere */
  readonly text: string;
  readonly digest: Buffer;
}

/** What an unknown token's digest is compared with: nobody knows a text that has it. */
const nobodys = randomBytes(32);

export function newToken(): NewToken {
  const id = randomBytes(8).toString('hex');
  const text = `scst_${id}_${randomBytes(32).toString('base64url')}`;
  return { id, text, digest: digestOf(text) };
}

/** The text has 32 random bytes in it: nothing slower than SHA-256 would make it harder to guess. */
function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** In constant time, also where there is no such token. */
export function isTextOf(text: string, digest: Buffer | undefined): boolean {
  const isSame = timingSafeEqual(digestOf(text), digest ?? nobodys);
  return isSame && digest !== undefined;
}
