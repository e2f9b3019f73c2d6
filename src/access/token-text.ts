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
function digestOf(text: string | Buffer): Buffer {
  return hash('sha256', text, 'buffer');
}

/** Texts that were sent, by the digest that each was found to have: with it, it is forgotten. */
const proven = new WeakMap<Buffer, Uint8Array>();

/** In constant time, also where there is no such token. A text that has been proven is compared itself, at a fifth of the cost. */
export function isTextOf(text: string, digest: Buffer | undefined): boolean {
  const bytes = Buffer.from(text);
  const known = digest && proven.get(digest);
  if (known?.length === bytes.length && timingSafeEqual(bytes, known)) return true;
  const isSame = timingSafeEqual(digestOf(bytes), digest ?? nobodys);
  if (isSame && digest) proven.set(digest, Uint8Array.from(bytes)); // a small Buffer holds its neighbours, too
  return isSame && digest !== undefined;
}
