// Builds dist/ anew: the program from src/, the client's types, the migrations beside it, the playground's files. A failed build leaves the last good one.
import { execFileSync } from 'node:child_process';
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { bundlePlayground } from './bundle-playground.js';

const tsc = 'node_modules/typescript-7/bin/tsc';
const building = 'dist.building';

rmSync(building, { recursive: true, force: true });
for (const [project, folder] of [
  ['tsconfig.build.json', building],
  ['src/client/tsconfig.json', building],
  ['migrations/tsconfig.json', `${building}/migrations`],
]) {
  execFileSync(process.execPath, [tsc, '-p', project, '--outDir', folder], { stdio: 'inherit' });
}
await bundlePlayground(`${building}/api/playground/assets`);
chmodSync(`${building}/main.js`, 0o755);
rmSync('dist', { recursive: true, force: true });
renameSync(building, 'dist');
