/**
 * A number from 0 up to (not including) 1 that depends on nothing but the seed and what it is drawn for. A stream of
 * random numbers would depend on the order in which collectors that run side by side happen to ask.
 */
export function draw(seed: number, ...what: (string | number)[]): number {
  return hash(`${seed}/${what.join('/')}`) / 2 ** 32;
}

/** One of them. */
export function pick<T>(from: readonly T[], drawn: number): T {
  return from[Math.floor(drawn * from.length)]!;
}

/** 32 bits of a text: FNV-1a, and the last steps of MurmurHash3, without which similar texts get similar numbers. */
export function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) bits = Math.imul(bits ^ text.charCodeAt(at), 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
