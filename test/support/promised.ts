/** What a machine that is busy with other things may add: no test tells how fast a machine is. */
const slack = 4;

/** Within how many milliseconds what is promised has to come about: the promise itself in the full run, on a quiet machine. */
export function promised(millis: number): number {
  return process.env['TEST_SCALE'] === '1' ? millis : slack * millis;
}
