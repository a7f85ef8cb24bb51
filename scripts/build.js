// Builds src/ from scratch, so that a deleted source file leaves nothing behind. `build/` gets every module
// by itself, for benchmarks that look inside; `dist/`, what is published: the declarations, and the code
// bundled to one file per entry point and what they share (docs/adr/0013). Then the inspector's page, the
// pictures of the statecharts, and the licences of what is bundled.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundlePage } from './bundle-page.js';

const root = new URL('../', import.meta.url);
const path = (name) => fileURLToPath(new URL(name, root));
const manifest = JSON.parse(readFileSync(path('package.json'), 'utf8'));

for (const folder of ['build', 'dist']) rmSync(path(folder), { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const args = [tsc, '-p', 'tsconfig.build.json'];
const { status } = spawnSync(process.execPath, args, { cwd: path('.'), stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

// Nobody can import the command line: it needs no declarations.
cpSync(path('build'), path('dist'), {
  recursive: true,
  filter: (file) => file !== path('build/cli') && !/\.js(\.map)?$/.test(file),
});

const points = ['index', 'testing/index', 'otel/index', 'inspector/index'];
// The port to files, which examples in the docs stand on: it must share its errors with the library.
const library = await bundle([...points, 'io/file-checkpoint-io'], 'library');
// Bundled by itself: the more entry points share code, the more files that code is cut into.
const programs = await bundle(['cli/main', 'cli/demo-child'], 'programs');

cpSync(path('docs/diagrams'), path('dist/inspector/diagrams'), {
  recursive: true,
  filter: (file) => !file.endsWith('.mmd'),
});
await bundlePage(path('dist/inspector/page'));
writeFileSync(path('dist/THIRD-PARTY-LICENSES'), licencesOf([...library, ...programs]));
chmodSync(path('dist/cli/main.js'), 0o755);

/** Bundles entry points, and what they share in files of this name; returns the files that went in. */
async function bundle(entries, shared) {
  const { metafile } = await build({
    absWorkingDir: path('.'),
    entryPoints: entries.map((name) => `src/${name}.ts`),
    outbase: 'src',
    outdir: 'dist',
    chunkNames: `chunks/${shared}-[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    charset: 'utf8',
    // What is installed with the package is found at run time; the rest is bundled.
    external: ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap((kind) =>
      Object.keys(manifest[kind]),
    ),
    // The modules of yaml, of which only what is used comes along; for node the package offers CommonJS.
    alias: { yaml: path('node_modules/yaml/browser/index.js') },
    // Commander is CommonJS and asks for modules of node.
    banner: {
      js: "import { createRequire as createRequireOf } from 'node:module'; const require = createRequireOf(import.meta.url);",
    },
    sourcemap: true,
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

/** The licences of the packages that files of a bundle belong to. */
function licencesOf(files) {
  const names = files.map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  const packages = [...new Set(names.filter((name) => name !== undefined))].sort();
  return packages
    .map((name) => {
      const { version, license } = JSON.parse(
        readFileSync(path(`node_modules/${name}/package.json`), 'utf8'),
      );
      const text = readFileSync(path(`node_modules/${name}/LICENSE`), 'utf8').trim();
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
