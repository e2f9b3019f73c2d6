import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A collector's request on its way to the server: the nth of its kind through this gate. */
export interface Passing {
  readonly kind: 'check' | 'advance';
  readonly nth: number;
}

/** Runs when a request has arrived; false breaks the connection, and the server never hears of it. */
type Arrival = (passing: Passing) => Promise<boolean> | boolean;
/** Runs when the server has answered; false breaks the connection, and the collector never hears of it. */
type Departure = (passing: Passing) => Promise<boolean> | boolean;

/** The network between one collector and the server, where a test can hold, lose and break what passes. */
export class Gate {
  private readonly server: Server;
  private readonly counts = { check: 0, advance: 0 };
  onArrival: Arrival = () => true;
  onDeparture: Departure = () => true;

  private constructor(serverUrl: string) {
    this.server = createServer((request, response) => {
      this.pass(serverUrl, request.headers, text(request))
        .then((answer) => {
          if (answer === undefined) request.socket.destroy();
          else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
        })
        .catch(() => request.socket.destroy()); // the server was killed: its connections broke, and so does this one
    });
  }

  static async open(serverUrl: string): Promise<Gate> {
    const gate = new Gate(serverUrl);
    gate.server.listen(0, '127.0.0.1');
    await once(gate.server, 'listening');
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/graphql`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async pass(url: string, headers: NodeJS.Dict<string | string[]>, sent: Promise<string>) {
    const body = await sent;
    const kind = body.includes('advanceScopeStates') ? 'advance' : 'check';
    const passing = { kind, nth: ++this.counts[kind] } as const;
    if (!(await this.onArrival(passing))) return undefined;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': String(headers['content-type']) },
      body,
    });
    const answer = { status: response.status, body: await response.text() };
    return (await this.onDeparture(passing)) ? answer : undefined;
  }
}
