// Reads a Dockerfile into its stages: as much of the language as ours uses.
import { readFileSync } from 'node:fs';

/** Each stage with its name and its instructions: the word in capitals, and the rest of the line. */
export function readDockerfile(path) {
  const lines = readFileSync(path, 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages = [];
  for (const line of lines) {
    const [, word, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (word === undefined) throw new Error(`${path}: can't read ${line}`);
    if (word === 'FROM')
      stages.push({ name: / AS (\S+)$/.exec(rest)?.[1], image: rest.split(' ')[0], steps: [] });
    else stages.at(-1).steps.push({ word, rest });
  }
  return stages;
}

export function stepsOf(stage, word) {
  return stage.steps.filter((step) => step.word === word).map(({ rest }) => rest);
}

/** The only one of its kind in a stage. */
export function stepOf(stage, word) {
  const found = stepsOf(stage, word);
  if (found.length !== 1) throw new Error(`found ${found.length} ${word} in a stage; wanted: one`);
  return found[0];
}

/** `A=1 B=2` as an object; values without blanks and quotes. */
export function environmentOf(stage) {
  const pairs = stepsOf(stage, 'ENV').flatMap((rest) => rest.split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]));
}

/** A command in its exec form: with a shell between, a signal would not reach the server. */
export function execForm(rest) {
  const words = JSON.parse(rest);
  if (!Array.isArray(words)) throw new Error(`found ${rest}; wanted: a command as a JSON array`);
  return words;
}
