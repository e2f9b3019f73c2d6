import { OutcomeUnknown, Unavailable } from '../fault.js';

/** SQLSTATE classes that tell of the service, not of the statement: see the PostgreSQL manual, appendix A. */
const unavailableClasses = new Set(['08', '28', '3D', '53', '55', '57', '58']);
const readOnlyTransaction = '25006';
const insufficientPrivilege = '42501';

/** The session was ended: by an administrator, or because the transaction or its idling took too long. */
const endedSessions = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '25P04']);

/** Another transaction was in the way; the same work, done again with a new snapshot, finds out what is so. */
const lookAgainCodes = new Set([
  '23505', // unique violation: the unit got its row meanwhile
  '40P01', // deadlock with a writer that is not ours
  '40001', // serialization failure of a writer that is not ours
]);

/** Thrown inside a transaction whose snapshot turned out too old: it is rolled back and done again. */
export class LookAgain extends Error {
  override readonly name = 'LookAgain';
}

export function sqlStateOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !isSystemCode(code) ? code : undefined;
}

export function wantsAnotherLook(error: unknown): boolean {
  return error instanceof LookAgain || lookAgainCodes.has(sqlStateOf(error) ?? '');
}

/** Whether the database, not the statement, is at fault. The driver's own errors carry no SQLSTATE. */
export function tellsOfTheDatabase(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined)
    return (
      unavailableClasses.has(state.slice(0, 2)) ||
      endedSessions.has(state) ||
      [readOnlyTransaction, insufficientPrivilege].includes(state)
    );
  return isSystemCode(codeOf(error) ?? '') || (error instanceof Error && driverFault.test(error.message));
}

/** What a caller is told of a failed statement: UNAVAILABLE where the database is at fault, else the error itself. */
export function asFault(error: unknown): unknown {
  if (!tellsOfTheDatabase(error)) return error;
  return new Unavailable('the database takes no requests now; nothing was done', { cause: error });
}

/** What PostgreSQL said, where it refused a right, also behind what a caller is told of it. */
export function refusedRightOf(error: unknown): Error | undefined {
  const told = error instanceof Unavailable ? error.cause : error;
  return sqlStateOf(told) === insufficientPrivilege ? (told as Error) : undefined;
}

/** The database ended a statement after its time, which no single item can have taken: nothing was done. */
export class Overdue extends Unavailable {
  constructor(cause: unknown) {
    super('the database takes no changes now: one has waited for too long; nothing was done', { cause });
  }
}

const cancelled = '57014';
const lockNotGranted = '55P03';

/** Whether a transaction for several callers failed for what one of them asked: without that one it may succeed. */
export function tellsOfOneItem(error: unknown): boolean {
  if (error instanceof OutcomeUnknown || error instanceof Overdue) return false;
  const cause = error instanceof Unavailable ? error.cause : error;
  return (
    !tellsOfTheDatabase(cause) ||
    wantsAnotherLook(cause) ||
    [cancelled, lockNotGranted].includes(sqlStateOf(cause) ?? '')
  );
}

/** Whether a transaction that did not wait may succeed when it does: somebody else was in its way. */
export function tellsOfARival(error: unknown): boolean {
  const cause = error instanceof Unavailable ? error.cause : error;
  return wantsAnotherLook(cause) || sqlStateOf(cause) === lockNotGranted;
}

/** A session that the server ended, or whose socket broke: what it was doing may or may not have been done. */
export function tellsOfALostSession(error: unknown): boolean {
  const state = sqlStateOf(error);
  return tellsOfABrokenLine(error) || endedSessions.has(state!);
}

/** What did not come from PostgreSQL at work: the driver's own errors, and those of the connection, which poolers use. */
export function tellsOfABrokenLine(error: unknown): boolean {
  return sqlStateOf(error)?.startsWith('08') ?? true;
}

/** How the texts of pg and its pool begin, which give their own errors no code. */
const driverFault =
  /^(Connection terminated|Query read timeout|timeout (exceeded|expired)|Client (was closed|has encountered)|Cannot use a pool after|The server does not support|There was an error establishing|SASL)/;

/** Codes of libuv and of TLS, such as ECONNREFUSED. EPIPE has the length of an SQLSTATE, which never begins with E. */
function isSystemCode(code: string): boolean {
  return /^E(?!RR_)[A-Z_]+$|^ERR_(TLS|SSL)_|CERT|UNABLE_TO_/.test(code);
}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
