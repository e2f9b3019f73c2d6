// Compares .env.example with the settings of src/config.ts (built), both ways: names, defaults, a comment for each.
import { readFileSync } from 'node:fs';
import { settings } from '../dist/config.js';

const lines = readFileSync(new URL('../.env.example', import.meta.url), 'utf8').split('\n');
const faults = [];
const shown = new Map();

for (const [index, line] of lines.entries()) {
  const [, name, value] = /^#?([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
  if (name === undefined) {
    if (line !== '' && !/^#( |$)/.test(line)) {
      faults.push(`line ${index + 1} is neither a comment ("# …") nor a setting ("#NAME=value"): ${line}`);
    }
    continue;
  }
  if (shown.has(name)) faults.push(`${name} is there twice`);
  shown.set(name, value);
  if (!line.startsWith('#')) faults.push(`${name} is not commented out`);
  if (!lines[index - 1]?.startsWith('# ')) faults.push(`${name} has no comment above it`);
}

for (const setting of settings) {
  const value = shown.get(setting.name);
  if (value === undefined) {
    faults.push(`${setting.name} is missing: ${setting.description} Default: "${setting.default}"`);
  } else if (value !== setting.default) {
    faults.push(
      `${setting.name} is "${value}" in .env.example, but its default is "${setting.default}" in src/config.ts`,
    );
  }
}
const known = new Set(settings.map(({ name }) => name));
for (const name of shown.keys()) {
  if (!known.has(name)) faults.push(`${name} is not a setting of src/config.ts`);
}

if (faults.length > 0) {
  console.error(`.env.example does not agree with src/config.ts:\n${faults.map((f) => `  ${f}`).join('\n')}`);
  process.exit(1);
}
