/** Says the port to whoever started us, and ends when told to. */
export function listening(port) {
  process.once('SIGTERM', () => process.exit());
  console.log(`listening on ${port}`);
}

export const portIn = (output) => {
  const found = /^listening on (\d+)$/m.exec(output);
  return found ? Number(found[1]) : undefined;
};
