// Bundles the playground (GraphiQL, its editors' workers, our examples) into files that the server hands out.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const source = 'src/api/playground/browser';

/** GraphiQL's style sheet has the editor's in it: the copies that the editor's own modules bring are never loaded. */
const withoutEditorStyles = {
  name: 'without-editor-styles',
  setup: ({ onLoad }) => onLoad({ filter: /monaco-editor.*\.css$/ }, () => ({ contents: '', loader: 'js' })),
};

export async function bundlePlayground(outdir) {
  await build({
    entryPoints: {
      main: `${source}/main.js`,
      'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
      'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
      'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
    },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'linked',
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [withoutEditorStyles],
    logLevel: 'warning',
  });
  copyFileSync(`${source}/icon.svg`, `${outdir}/icon.svg`);
  for (const file of readdirSync(outdir)) {
    writeFileSync(`${outdir}/${file}.gz`, gzipSync(readFileSync(`${outdir}/${file}`), { level: 9 }));
  }
}
