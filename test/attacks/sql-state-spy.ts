import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a server and its PostgreSQL, and reads the SQLSTATE of every error that the database answers. */
export interface SqlStateSpy {
  /** the database's URL, through the spy */
  readonly url: string;
  readonly states: string[];
  close(): Promise<void>;
}

export async function openSqlStateSpy(databaseUrl: string): Promise<SqlStateSpy> {
  const target = new URL(databaseUrl);
  const states: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    const read = errorReader((state) => states.push(state));
    far.on('data', read);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => [near, far].forEach((end) => end.destroy()));
      socket.on('close', () => sockets.delete(socket));
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    states,
    close: async () => {
      proxy.close();
      sockets.forEach((socket) => socket.destroy());
      await once(proxy, 'close');
    },
  };
}

/** Messages of PostgreSQL's protocol: a letter, a length that counts itself, a content. `E` is an error, its field `C` the SQLSTATE. */
function errorReader(found: (state: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5) {
      const end = 1 + rest.readInt32BE(1);
      if (rest.length < end) return;
      if (rest[0] === 0x45) found(/(?:^|\0)C(\w{5})\0/.exec(rest.toString('latin1', 5, end))![1]!);
      rest = rest.subarray(end);
    }
  };
}
