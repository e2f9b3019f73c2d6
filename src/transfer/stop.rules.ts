import { OperatorError } from '../fault.js';

/** @throws OperatorError when the process was told to stop */
export function refuseIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new OperatorError(`stopped by ${String(signal.reason)}`);
}
