// Builds dist/ anew: the program from src/, the client's types, the migrations beside it, the playground's files. A failed build leaves the last good one.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { bundlePlayground } from './bundle-playground.js';

const tsc = 'node_modules/typescript-7/bin/tsc';
const aside = 'dist.building';
const building = `${aside}/new`;

rmSync(aside, { recursive: true, force: true });
for (const [project, folder] of [
  ['tsconfig.build.json', building],
  ['src/client/tsconfig.json', building],
  ['migrations/tsconfig.json', `${building}/migrations`],
]) {
  execFileSync(process.execPath, [tsc, '-p', project, '--outDir', folder], { stdio: 'inherit' });
}
await bundlePlayground(`${building}/api/playground/assets`);
chmodSync(`${building}/main.js`, 0o755);
// By its name: for all but a moment, a program that is just starting from it finds all of its files.
if (existsSync('dist')) renameSync('dist', `${aside}/old`);
renameSync(building, 'dist');
rmSync(aside, { recursive: true });
