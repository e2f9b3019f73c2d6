import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import {
  OperationTypeNode,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { Log } from '../log.js';
import { isRecent, type Admission, type Admitted } from './admission.js';
import { lateness } from './deadline.js';
import type { Documents } from './documents/documents.js';
import type { Drain } from './drain.js';
import { createErrorFormat } from './error-format.js';
import { Execution } from './execution.js';
import { absence } from './http-errors.js';
import type { KnownDocument, KnownDocuments } from './known-documents.js';
import type { RequestBodies } from './request-bodies.js';
import { inRequestOf, isAnonymous, requestIdOf, type RequestContext } from './request-scope.js';

export interface ShortWayOptions {
  schema: GraphQLSchema;
  log: Log;
  admission: Admission;
  documents: Documents;
  known: KnownDocuments;
  drain: Pick<Drain, 'hasBegun'>;
  bodies: RequestBodies;
  largestBody: number;
  deadlineMillis: number;
  hidesSchema: boolean;
  /** of every answer */
  headers: Readonly<Record<string, string>>;
  onMutation: () => void;
}

/** Stands before Fastify. */
export function addShortWay({ server }: FastifyInstance, options: ShortWayOptions): void {
  const [longWay] = server.listeners('request') as LongWay[];
  server.removeAllListeners('request');
  server.on('request', new ShortWay(options, longWay!).take);
}

type LongWay = (request: IncomingMessage, response: ServerResponse) => void;

interface Asked {
  readonly known: KnownDocument;
  readonly variables: Record<string, unknown> | undefined;
}

interface Taken {
  readonly asked: Asked;
  readonly admitted: Admitted;
  readonly body: Buffer | Error | undefined;
}

const jsonTypes = ['application/json', 'application/json; charset=utf-8'];
const json = 'application/json; charset=utf-8';
const graphqlResponse = 'application/graphql-response+json; charset=utf-8';

/** What programs say that they accept (ours, graphql-request and Apollo Client the last ones), and the type that it is answered with. */
const answerTypes = new Map<string | undefined, string>([
  [undefined, json],
  ['*/*', json],
  ['application/json', json],
  ['application/graphql-response+json', graphqlResponse],
  ['application/graphql-response+json, application/json', graphqlResponse],
  ['application/graphql-response+json,application/json;q=0.9', graphqlResponse],
]);

/** Headers that change how a body is read, or what an answer has to say: their requests go the long way. */
const complications = ['content-encoding', 'transfer-encoding', 'origin'] as const;

/** Names that could reach a prototype, and escapes behind which they could hide: the long way looks closer. */
const suspicious = ['__proto__', 'constructor', '\\u'];

/**
 * The way of the plain requests that programs send by the thousand: JSON, a document that has gone the long way before, a
 * caller whose token is in force. They are answered without Fastify's and Apollo's work on each, which is most of what a look-up
 * costs. Whatever is not plain takes the long way (Fastify, and Apollo behind it), and so does whatever is at fault before
 * it is executed: there is one place that refuses. Both ways give the same answers (docs/adr/0021-short-way.md).
 */
export class ShortWay {
  private readonly options: ShortWayOptions;
  private readonly longWay: LongWay;
  private readonly format: ReturnType<typeof createErrorFormat>;
  private readonly headers: readonly string[];
  private readonly execution: Execution;

  constructor(options: ShortWayOptions, longWay: LongWay) {
    this.options = options;
    this.longWay = longWay;
    this.format = createErrorFormat(options.log, options);
    this.execution = new Execution(options.schema);
    this.headers = Object.entries(options.headers).flat();
  }

  readonly take = (request: IncomingMessage, response: ServerResponse): void => {
    const length = this.plainLength(request);
    if (length === undefined) return this.longWay(request, response);
    const admitted = this.options.admission.admit(request);
    if (!(admitted instanceof Promise)) return this.takeFrom(admitted, length, request, response);
    void admitted.then((late) => this.takeFrom(late, length, request, response));
  };

  private takeFrom(
    admitted: Admitted | undefined,
    length: number,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    if (!admitted) return this.longWay(request, response);
    this.options.bodies.take(request, length, (body) => {
      if (request.destroyed) return; // it broke off in the middle
      const asked = body instanceof Buffer && isRecent(admitted) ? this.read(body) : undefined;
      if (asked) return this.answer(request, response, { asked, admitted, body });
      this.goOn(request, response, { admitted, body });
    });
  }

  /** A body that has been read can't be read again, and who was counted is not counted again. */
  private goOn(
    request: IncomingMessage,
    response: ServerResponse,
    { admitted, body }: Omit<Taken, 'asked'>,
  ): void {
    this.options.admission.keep(request, admitted);
    this.options.bodies.keep(request, body);
    this.longWay(request, response);
  }

  /** How long its body is, if its headers are as most programs send them. */
  private plainLength({ method, url, headers }: IncomingMessage): number | undefined {
    if (method !== 'POST' || url !== '/graphql' || this.options.drain.hasBegun) return undefined;
    if (!jsonTypes.includes(headers['content-type']!) || !answerTypes.has(headers.accept)) return undefined;
    if (complications.some((name) => headers[name] !== undefined)) return undefined;
    const length = Number(headers['content-length']);
    return length > 0 && length <= this.options.largestBody ? length : undefined;
  }

  private read(body: Buffer): Asked | undefined {
    if (!isUtf8(body)) return undefined;
    const text = body.toString('utf8');
    if (suspicious.some((name) => text.includes(name))) return undefined;
    let sent: unknown;
    try {
      sent = JSON.parse(text);
    } catch {
      return undefined;
    }
    if (!isObject(sent)) return undefined;
    const { query, variables, operationName, ...others } = sent;
    const known = typeof query === 'string' ? this.options.known.find(query) : undefined;
    if (!known || Object.keys(others).length > 0) return undefined;
    if ((operationName ?? undefined) !== undefined && operationName !== known.operation.name?.value)
      return undefined;
    if ((variables ?? undefined) !== undefined && !isObject(variables)) return undefined;
    return { known, variables: (variables ?? undefined) as Asked['variables'] };
  }

  private answer(request: IncomingMessage, response: ServerResponse, { asked, admitted, body }: Taken): void {
    const { admission, documents } = this.options;
    const { known, variables } = asked;
    const context = admission.contextFor(request, admitted, requestIdOf(request.headers['x-request-id']));
    const type = answerTypes.get(request.headers.accept)!;
    const exchange = this.begin(response, { operation: known.operation, context, type });
    const goOn = () => exchange.leave(() => this.goOn(request, response, { admitted, body }));
    const done = (result: ExecutionResult) => {
      // Its variables are at fault, and nothing was executed.
      if (result.data === undefined) goOn();
      else exchange.end(200, this.textOf(result, context));
    };
    // Nobody behind it would catch what is thrown here: it would end the process.
    try {
      if (documents.refusalOf(known.document, known.operation, variables, isAnonymous(context)))
        return goOn();
      const result = this.execution.execute(known, context, variables);
      if (result instanceof Promise) result.then(done).catch(exchange.fail);
      else done(result);
    } catch (error) {
      exchange.fail(error);
    }
  }

  /** Keeps an eye on the deadline, and answers once. */
  private begin(
    response: ServerResponse,
    {
      operation,
      context,
      type,
    }: { operation: OperationDefinitionNode; context: RequestContext; type: string },
  ) {
    const { deadlineMillis, drain, log, onMutation } = this.options;
    const { requestId } = context.caller;
    const isMutation = operation.operation === OperationTypeNode.MUTATION;
    const end = (status: number, text: string, contentType = type) => {
      clearTimeout(timer);
      if (response.headersSent) return;
      const length = Buffer.byteLength(text);
      const headers = [
        'content-type',
        contentType,
        'x-request-id',
        requestId,
        'content-length',
        String(length),
      ];
      if (drain.hasBegun) headers.push('connection', 'close');
      // What is ASCII is the same in both, and written for a tenth less as Latin-1.
      const encoding = length === text.length ? 'latin1' : 'utf8';
      response.writeHead(status, [...this.headers, ...headers]).end(text, encoding);
      log.debug(
        { event: 'request', requestId, method: 'POST', path: '/graphql', status, way: 'short' },
        'answered',
      );
      if (isMutation) onMutation();
    };
    const fail = (error: unknown) => {
      const { status, body } = absence(error, requestId, log);
      end(status, JSON.stringify(body), json);
    };
    const timer = setTimeout(() => fail(lateness(deadlineMillis, isMutation)), deadlineMillis);
    const leave = (goOn: () => void) => {
      clearTimeout(timer);
      if (!response.headersSent) goOn();
    };
    return { end, fail, leave };
  }

  private textOf({ data, errors }: ExecutionResult, context: RequestContext): string {
    if (!errors) return `{"data":${JSON.stringify(data)}}\n`;
    const formatted = inRequestOf(context, () => errors.map((error) => this.formatted(error)));
    return `${JSON.stringify({ errors: formatted, data })}\n`;
  }

  private formatted(error: GraphQLError) {
    const extensions = { code: 'INTERNAL_SERVER_ERROR', ...error.extensions };
    return this.format({ ...error.toJSON(), extensions }, error);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
