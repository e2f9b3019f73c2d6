import { pino, type Logger } from 'pino';
import { build as pretty } from 'pino-pretty';

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
    },
    process.stderr.isTTY ? forPeople() : pino.destination({ dest: standardError, sync: true }),
  );
}

/** In this process and synchronous, like the other: what is logged last before an exit must not be lost in a worker. */
function forPeople() {
  return pretty({
    destination: standardError,
    sync: true,
    colorize: process.stderr.hasColors(), // minds NO_COLOR and TERM=dumb
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'event', // the message says it
    singleLine: true,
  });
}
