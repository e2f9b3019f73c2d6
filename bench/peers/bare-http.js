import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import { listening } from './listening.js';

/** No framework, no GraphQL: what Node.js and the driver alone can do. */
export function serveBare(store) {
  const operations = {
    '/read': (unit) => store.read(unit),
    '/check': (unit) => store.check(unit),
    '/advance': ({ lastProcessedTimestamp, ...unit }) => store.advance(unit, lastProcessedTimestamp),
    '/batch': (items) =>
      store.advanceMany(items.map(({ lastProcessedTimestamp: timestamp, ...unit }) => ({ unit, timestamp }))),
    '/page': page,
    '/filtered': page,
    '/deep': page,
  };
  function page({ first, after, collector, active }) {
    return store.page({ first, after, filter: collector === undefined ? undefined : { collector, active } });
  }

  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      answer(request.url, Buffer.concat(chunks)).then(
        (body) => reply(response, 200, body),
        (error) => reply(response, 500, { errors: [error.message] }),
      );
    });
  });
  const answer = async (path, bytes) => operations[path](JSON.parse(bytes.toString('utf8')));
  server.listen(0, '127.0.0.1', () => listening(server.address().port));
}

function reply(response, status, body) {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}
