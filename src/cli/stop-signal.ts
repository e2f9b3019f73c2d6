/** A terminal signals all of its processes, and npm passes its own signal on: both come from one press of Ctrl-C. */
const samePressMillis = 500;

/** Aborted, with the signal's name as the reason, when the process is told to stop; told again later, it ends at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > samePressMillis) process.exit(1);
      controller.abort(signal);
    });
  }
  return controller.signal;
}
