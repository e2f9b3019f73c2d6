/** Prints `N passed, N failed, N skipped` as the run's very last line: CI reads that one. */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const brokenFiles = results.numRuntimeErrorTestSuites;
    const line = [
      `${results.numPassedTests} passed`,
      `${results.numFailedTests + brokenFiles} failed`,
      `${results.numPendingTests + results.numTodoTests} skipped`,
    ].join(', ');
    // Other reporters still write after this hook; only the process's exit is after all of them.
    process.once('exit', () => process.stdout.write(`${line}\n`));
  }
}
