import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

export interface NewToken {
  readonly id: string;
  /** told once, and stored nowhere */
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

/** Each comparison is of the whole, in constant time, also where there is no such token. */
export function isTextOf(text: string | Buffer, digest: Buffer | undefined): boolean {
  const isSame = timingSafeEqual(digestOf(text), digest ?? nobodys);
  return isSame && digest !== undefined;
}

const rememberedMillis = 1_000;

/**
 * Tells tokens' texts by their digests, and remembers for a second at most, in memory only, texts that were found to have one: such a
 * text is compared itself, at a fifth of the cost.
 */
export class TokenTexts {
  private readonly proven = new Map<Buffer, Uint8Array>();

  /** As `isTextOf`. */
  isTextOf(text: string, digest: Buffer | undefined): boolean {
    const bytes = Buffer.from(text);
    const known = digest && this.proven.get(digest);
    if (known?.length === bytes.length && timingSafeEqual(bytes, known)) return true;
    const isSame = isTextOf(bytes, digest);
    if (isSame) this.remember(digest!, Uint8Array.from(bytes)); // a small Buffer is a part of a larger one
    return isSame;
  }

  private remember(digest: Buffer, text: Uint8Array): void {
    if (this.proven.size === 0) setTimeout(this.forget, rememberedMillis).unref();
    this.proven.set(digest, text);
  }

  private readonly forget = (): void => {
    for (const text of this.proven.values()) text.fill(0);
    this.proven.clear();
  };
}
