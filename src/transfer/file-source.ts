import { open } from 'node:fs/promises';
import { addAbortSignal, pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { OperatorError } from '../fault.js';
import { BadField } from './bad-field.rules.js';
import { delimitedDecoder, ndjsonDecoder, type Decoder, type Format } from './format.rules.js';
import { linesOf, type Line } from './lines.js';
import { unreadable, type Source, type SourceRow } from './source.js';

const chunkBytes = 64 * 1024;
const byteOrderMark = '\uFEFF';

/** A file, or standard input (`-`); gzip is recognised by its first bytes, whatever the name says. */
export async function openFileSource(path: string, format: Format, signal: AbortSignal): Promise<Source> {
  const name = path === '-' ? 'standard input' : path;
  let stream: Readable | undefined;
  try {
    const opened = path === '-' ? { stream: process.stdin, size: undefined } : await openFile(path);
    const { size } = opened;
    const chunks = (stream = addAbortSignal(signal, opened.stream)); // a pipe may say nothing for long
    let done = 0;
    const counted = async function* () {
      for await (const chunk of chunks as AsyncIterable<Buffer>) {
        done += chunk.length;
        yield chunk;
      }
    };
    const lines = linesOf(await plain(counted()));
    const first = await nextWithText(lines);
    const decoder = decoderOf(format, first[0]?.text, name);
    const rest = format === 'ndjson' ? first : first.slice(1);
    return {
      name,
      ignored: decoder.ignored,
      get position() {
        return { done, total: size };
      },
      async *rows() {
        try {
          yield rest.flatMap((line) => rowOf(line, decoder));
          for await (const more of lines) yield more.flatMap((line) => rowOf(line, decoder));
        } catch (error) {
          throw unreadable(name, error);
        }
      },
      close: () => {
        chunks.destroy();
        return Promise.resolve();
      },
    };
  } catch (error) {
    stream?.destroy(); // one that still waits for more keeps the process from ending
    throw unreadable(name, error);
  }
}

async function openFile(path: string) {
  const file = await open(path);
  const stat = await file.stat();
  if (stat.isDirectory()) {
    await file.close();
    throw new OperatorError(`${path} is a folder: name a file in it`);
  }
  return {
    stream: file.createReadStream({ highWaterMark: chunkBytes }),
    size: stat.isFile() ? stat.size : undefined,
  };
}

/** Unpacks gzip. */
async function plain(chunks: AsyncGenerator<Buffer, void>): Promise<AsyncIterable<Buffer>> {
  let start: Buffer = Buffer.alloc(0);
  while (start.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  const whole = (async function* () {
    yield start;
    yield* chunks;
  })();
  if (start[0] !== 0x1f || start[1] !== 0x8b) return whole;
  return pipeline(Readable.from(whole), createGunzip({ chunkSize: chunkBytes }), () => {}); // its reader hears of a fault
}

/** The first lines from the first that has a text on, without the mark that some programs begin a file with. */
async function nextWithText(lines: AsyncGenerator<Line[], void>): Promise<Line[]> {
  for (;;) {
    const next = await lines.next();
    if (next.done) return [];
    const [first, ...more] = next.value.map((line) =>
      line.number === 1 && line.text.startsWith(byteOrderMark) ? { ...line, text: line.text.slice(1) } : line,
    );
    const all = [first!, ...more];
    const begin = all.findIndex(({ text }) => text !== '');
    if (begin >= 0) return all.slice(begin);
  }
}

function decoderOf(format: Format, header: string | undefined, name: string): Decoder {
  if (format === 'ndjson') return ndjsonDecoder();
  if (header === undefined)
    throw new OperatorError(`${name} is empty: its first line has to name its columns`);
  return delimitedDecoder(header, format, name);
}

/** Empty lines are nobody's. */
function rowOf({ number, text, fault }: Line, decoder: Decoder): SourceRow[] {
  if (text === '' && fault === undefined) return [];
  return [
    { line: number, text, content: fault === undefined ? decoded(text, decoder) : new BadField('', fault) },
  ];
}

function decoded(text: string, decoder: Decoder): SourceRow['content'] {
  try {
    return decoder.decode(text);
  } catch (error) {
    if (error instanceof BadField) return error;
    throw error;
  }
}
