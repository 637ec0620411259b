// build.ts - src/ to dist/: page.html (the template), page.css, page.js, licences.txt.
//
// dist/ is committed, so that nobody needs Node to build crossflow. `tsx build.ts` writes it, `tsx build.ts --check` fails
// where a file of dist/ is not, byte for byte, what src/ builds. The page shows the licences of what is bundled with it.
import { build, type Plugin } from 'esbuild';
import { readFileSync, readdirSync, writeFileSync, existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The packages (name and folder) that files of node_modules/ belong to, in alphabetical order. */
function packagesOf(inputs: readonly string[]): { name: string; folder: string }[] {
  const names = new Set<string>();
  for (const path of inputs) {
    const tail = path.split(`node_modules${sep}`).pop();
    if (tail === undefined || tail === path) continue;
    const [scope, name] = tail.split(sep);
    if (scope === undefined) continue;
    names.add(scope.startsWith('@') ? `${scope}/${name ?? ''}` : scope);
  }
  return [...names].sort().map((name) => ({ name, folder: join(here, 'node_modules', name) }));
}

/** Every bundled package with its version and the whole text of its licence; a package without one is an error. */
function licencesOf(inputs: readonly string[]): string {
  const parts = packagesOf(inputs).map(({ name, folder }) => {
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      version: string;
      license?: string;
    };
    const file = readdirSync(folder).find((f) => /^licen[cs]e(\.(md|txt))?$/i.test(f));
    if (file === undefined) throw new Error(`${name}: no licence file in ${folder}`);
    const text = readFileSync(join(folder, file), 'utf8').replace(/\r\n/g, '\n').trim();
    return `${name} ${about.version} (${about.license ?? 'see below'})\n\n${text}\n`;
  });
  return parts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** `import licences from 'licences'` is the text above. */
function licencesModule(text: string): Plugin {
  return {
    name: 'licences',
    setup(b) {
      b.onResolve({ filter: /^licences$/ }, () => ({ path: 'licences', namespace: 'licences' }));
      b.onLoad({ filter: /.*/, namespace: 'licences' }, () => ({ contents: text, loader: 'text' }));
    },
  };
}

async function bundle(licences: string) {
  return build({
    absWorkingDir: here,
    entryPoints: { page: 'src/main.tsx' },
    outdir: 'dist',
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'iife',
    target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.woff2': 'dataurl' },
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
    plugins: [licencesModule(licences)],
  });
}

async function outputs(): Promise<Map<string, string>> {
  const first = await bundle('');
  const licences = licencesOf(Object.keys(first.metafile.inputs));
  const { outputFiles } = await bundle(licences);
  const files = new Map([
    ['page.html', readFileSync(join(here, 'src/page.html'), 'utf8')],
    ['licences.txt', licences],
  ]);
  for (const file of outputFiles) files.set(file.path.split(sep).pop() ?? '', file.text);
  // Inlined into one HTML file: neither may end the element that it stands in.
  if (/<\/script|<!--/i.test(files.get('page.js') ?? '')) throw new Error('page.js would end its own script element');
  if (/<\/style/i.test(files.get('page.css') ?? '')) throw new Error('page.css would end its own style element');
  return files;
}

const files = await outputs();
let stale = 0;
for (const [name, text] of files) {
  const path = join(here, 'dist', name);
  const same = existsSync(path) && readFileSync(path, 'utf8') === text;
  if (process.argv.includes('--check')) {
    if (!same) console.error(`dist/${name} is not what src/ builds: run "npm run build" and commit it`);
    stale += same ? 0 : 1;
  } else {
    writeFileSync(path, text);
    console.log(`${same ? 'same   ' : 'written'} dist/${name} ${(text.length / 1024).toFixed(1)} kB`);
  }
}
process.exitCode = stale > 0 ? 1 : 0;
