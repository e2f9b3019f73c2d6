import { createHash } from 'node:crypto';
import { BadInput, quoted } from '../fault.js';

/**
 * An opaque text for a position: its parts, and a digest that tells a truncated or made-up one from one of ours. No secret
 * is in it, so whoever makes one himself is taken at his word: what the parts say is for the reader to check.
 */
export function encodeCursor(parts: readonly (string | number)[]): string {
  const payload = JSON.stringify(parts);
  return Buffer.from(`${digestOf(payload)}${payload}`).toString('base64url');
}

/** @throws BadInput when the text is no cursor of ours */
export function decodeCursor(cursor: string, field: string): unknown[] {
  const text = Buffer.from(cursor, 'base64url').toString();
  const payload = text.slice(digestLength);
  const isOurs = digestOf(payload) === text.slice(0, digestLength) && encodeAgain(text) === cursor;
  const parts = isOurs ? parsed(payload) : undefined;
  if (!Array.isArray(parts)) {
    throw new BadInput(field, quoted(cursor), 'a cursor of this connection, as it was answered');
  }
  return parts;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const digestLength = 16;

function digestOf(payload: string): string {
  return createHash('sha256').update(`cursor ${payload}`).digest('hex').slice(0, digestLength);
}

/** base64url's decoder passes over what it doesn't know: only the one spelling is ours. */
function encodeAgain(text: string): string {
  return Buffer.from(text).toString('base64url');
}
