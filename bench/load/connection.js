// An HTTP/1.1 connection that does as little as possible: the load must not cost more than what it is put on.
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';

const headEnd = Buffer.from('\r\n\r\n');
const empty = Buffer.alloc(0);

export class Connection {
  #socket;
  #received = empty;
  #answer;

  static async open(port) {
    let connection;
    const onread = {
      buffer: Buffer.allocUnsafe(65_536),
      callback(length, buffer) {
        connection.#take(buffer.subarray(0, length));
        return true;
      },
    };
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    connection = new Connection(socket);
    await once(socket, 'connect');
    return connection;
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** Sends one request, and resolves with `{ status, body }`; one at a time. */
  send(text) {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      this.#socket.write(text, 'latin1'); // all of it is ASCII
    });
  }

  close() {
    this.#socket.destroy();
  }

  /** The bytes are where the next ones will be read to: what is to stay of them is copied. */
  #take(bytes) {
    const all = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const parsed = parse(all);
    if (parsed === undefined) {
      this.#received = all === bytes ? Buffer.from(bytes) : all;
      return;
    }
    this.#received = empty;
    const { resolve } = this.#answer;
    this.#answer = undefined;
    resolve(parsed);
  }

  #fail(error) {
    this.#answer?.reject(error);
    this.#answer = undefined;
  }
}

/** The answer, if it is complete. */
function parse(bytes) {
  const end = bytes.indexOf(headEnd);
  if (end === -1) return undefined;
  const head = bytes.latin1Slice(0, end);
  const status = Number(head.slice(9, 12));
  const start = end + headEnd.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (length) {
    const stop = start + Number(length[1]);
    return bytes.length < stop ? undefined : { status, body: bytes.utf8Slice(start, stop) };
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error(`no length in the answer:\n${head}`);
  const body = unchunk(bytes, start);
  return body === undefined ? undefined : { status, body };
}

function unchunk(bytes, start) {
  const chunks = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(bytes.latin1Slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return Buffer.concat(chunks).toString('utf8');
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
