/** A function that throws once Ctrl-C or SIGTERM has come: what was started is then ended on the way out. */
export function listenForStop() {
  let signal;
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => (signal = name)); // not once: npm passes on what the terminal has sent already
  }
  return () => {
    if (signal !== undefined) throw new Error(`stopped by ${signal}`);
  };
}
