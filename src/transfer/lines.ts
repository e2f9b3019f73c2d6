import { isUtf8 } from 'node:buffer';

export interface Line {
  /** counted from 1 */
  readonly number: number;
  readonly text: string;
  /** why it can't be read */
  readonly fault?: string;
}

/** A line with every text at its longest has 5 KB: beyond this it is none of ours, and is not kept. */
const longestLine = 1024 * 1024;
const shownOfLongLine = 1000;
const lineFeed = 0x0a;

/** The lines of a stream, a chunk's at a time. A broken or endless one spoils itself only, and costs no memory. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line[], void> {
  let begun: Buffer = Buffer.alloc(0);
  let tooLong = false;
  let number = 1;
  const take = (block: Buffer) => {
    const lines = split(block, number);
    if (tooLong) lines[0] = { number, text: lines[0]!.text, fault: `it is longer than ${longestLine} bytes` };
    tooLong = false;
    number += lines.length;
    return lines;
  };
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(lineFeed);
    if (end >= 0) {
      const lines = take(joined(begun, tooLong, chunk.subarray(0, end)));
      begun = Buffer.from(chunk.subarray(end + 1));
      yield lines;
    } else if (!tooLong) begun = Buffer.concat([begun, chunk]);
    if (begun.length <= longestLine) continue;
    tooLong = true;
    begun = begun.subarray(0, shownOfLongLine);
  }
  if (begun.length > 0) yield take(begun);
}

/** Of a line that is too long its beginning stays, and what follows its end. */
function joined(begun: Buffer, tooLong: boolean, more: Buffer): Buffer {
  if (!tooLong) return begun.length === 0 ? more : Buffer.concat([begun, more]);
  const end = more.indexOf(lineFeed);
  return end < 0 ? begun : Buffer.concat([begun, more.subarray(end)]);
}

function split(block: Buffer, first: number): Line[] {
  const isSound = isUtf8(block);
  const parts = isSound ? block.toString('utf8').split('\n') : partsOf(block);
  return parts.map((part, place) => {
    const text = typeof part === 'string' ? part : part.toString('utf8');
    const line = { number: first + place, text: text.endsWith('\r') ? text.slice(0, -1) : text };
    return typeof part === 'string' || isUtf8(part) ? line : { ...line, fault: 'it is not UTF-8' };
  });
}

function partsOf(block: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start <= block.length;) {
    const end = block.indexOf(lineFeed, start);
    parts.push(block.subarray(start, end < 0 ? block.length : end));
    if (end < 0) break;
    start = end + 1;
  }
  return parts;
}
