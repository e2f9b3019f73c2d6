#!/usr/bin/env node
// Nothing is imported before the version is known: an older Node would fail inside a package, with a stack trace.
const needed = 26;
const major = Number(process.versions.node.split('.')[0]);
if (major < needed) {
  process.stderr.write(
    `scopestate needs Node.js ${needed} or later, and this is ${process.versions.node}; npm scripts bring their own: npm start\n`,
  );
  process.exitCode = 1;
} else {
  const { runCommand } = await import('./cli/run-command.js');
  await runCommand(process.argv);
}
