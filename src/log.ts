import { pino, type Logger, type SerializedError } from 'pino';
import { build as pretty } from 'pino-pretty';
import { escapeAll, escapeInvisible, withoutSecrets } from './log-text.rules.js';

export type Log = Logger;

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const standardError = 2;

/**
 * Structured log on standard error: one JSON line an event, or, where people watch, a readable one. Standard output is
 * for what a command prints.
 */
export function createLog(level: LogLevel): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: Error) => withoutRows(pino.stdSerializers.err(error)) },
    },
    process.stderr.isTTY ? forPeople() : forPrograms(),
  );
}

function forPrograms() {
  const out = pino.destination({ dest: standardError, sync: true });
  return { write: (line: string) => void out.write(escapeInvisible(withoutSecrets(line))) };
}

/** Where PostgreSQL repeats what the rows and the statement's parameters were. */
function withoutRows({ detail: _d, hint: _h, where: _w, internalQuery: _q, ...error }: SerializedError) {
  return error;
}

/** In this process and synchronous, like the other: what is logged last before an exit must not be lost in a worker. */
function forPeople() {
  const out = pretty({
    destination: standardError,
    sync: true,
    colorize: process.stderr.hasColors(), // minds NO_COLOR and TERM=dumb
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'event', // the message says it
    singleLine: true,
  });
  return { write: (line: string) => void out.write(escapeAll(withoutSecrets(line))) };
}
