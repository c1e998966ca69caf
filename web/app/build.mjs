// Bundles the page into the folder named first, and writes there what puts it into the binary:
//   dist/            the page as a browser gets it; names of assets carry a hash of their content
//   sizes.json       bytes, gzip and brotli, of everything and of what the first paint needs
//   page_assets.c    .incbin of every compressed file
//   page_assets.cpp  the table kin::web::page_assets()
import * as esbuild from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? 'build');
const dist = join(out, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, 'assets'), { recursive: true });

const built = await esbuild.build({
  absWorkingDir: here,
  entryPoints: { main: 'src/main.tsx', login: 'src/login.ts', icon: 'src/icon.svg' },
  outdir: join(dist, 'assets'),
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.svg': 'copy' },
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  metafile: true,
  logLevel: 'warning',
});

// Who wrote what is in there, as their licences ask.
const licences = Object.keys(JSON.parse(readFileSync(join(here, 'package-lock.json'), 'utf8')).packages)
  .filter((path) => path.startsWith('node_modules/'))
  .filter((path) => Object.keys(built.metafile.inputs).some((input) => input.startsWith(`${path}/`)))
  .map((path) => {
    const { name, version } = JSON.parse(readFileSync(join(here, path, 'package.json'), 'utf8'));
    return `${name} ${version}\n\n${readFileSync(join(here, path, 'LICENSE'), 'utf8').trim()}\n`;
  });
writeFileSync(join(dist, 'assets/licences.txt'), licences.join('\n\n'));

// What index.html names, and what it drags in before anything is shown.
const outputs = Object.entries(built.metafile.outputs).map(([path, output]) => ({
  ...output,
  name: path.slice(path.lastIndexOf('/assets/')),
}));
const of = (entry) => outputs.find((output) => output.entryPoint === entry);
const main = of('src/main.tsx');
const style = main.cssBundle.slice(main.cssBundle.lastIndexOf('/assets/'));
const icon = outputs.find((output) => output.name.endsWith('.svg')).name;
const first = new Set([main.name, style]);
for (const output of outputs)
  if (first.has(output.name))
    for (const { path, kind } of output.imports)
      if (kind === 'import-statement') first.add(path.slice(path.lastIndexOf('/assets/')));

for (const page of ['index', 'login', 'closed']) {
  const html = readFileSync(join(here, `src/${page}.html`), 'utf8')
    .replaceAll('{{main}}', main.name)
    .replaceAll('{{login}}', of('src/login.ts').name)
    .replaceAll('{{style}}', style)
    .replaceAll('{{icon}}', icon);
  writeFileSync(join(dist, `${page}.html`), html);
}

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};
const files = [
  ...['/index.html', '/login.html', '/closed.html'],
  ...readdirSync(join(dist, 'assets')).sort().map((name) => `/assets/${name}`),
];
mkdirSync(join(out, 'packed'), { recursive: true });
const assets = files.map((path, index) => {
  const bytes = readFileSync(join(dist, path));
  const br = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  const gz = gzipSync(bytes, { level: 9 });
  const file = join(out, 'packed', `${index}`);
  writeFileSync(`${file}.br`, br);
  writeFileSync(`${file}.gz`, gz);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  return { path, index, file, hash, type: types[extname(path)], bytes, br, gz };
});

const total = (list, form) => list.reduce((sum, asset) => sum + asset[form].length, 0);
const entry = assets.filter((asset) => first.has(asset.path) || asset.path === '/index.html');
writeFileSync(
  join(out, 'sizes.json'),
  JSON.stringify(
    {
      entry: { gzip: total(entry, 'gz'), brotli: total(entry, 'br') },
      all: { gzip: total(assets, 'gz'), brotli: total(assets, 'br') },
      files: Object.fromEntries(assets.map((asset) => [asset.path, asset.gz.length])),
    },
    null,
    1,
  ) + '\n',
);

const incbin = (asset, form) =>
  `    ".global kin_page_${asset.index}_${form}\\n"\n` +
  `    "kin_page_${asset.index}_${form}: .incbin \\"${asset.file}.${form}\\"\\n"\n`;
// The hashes are there for whoever caches compilations: a file's content is not in this text.
writeFileSync(
  join(out, 'page_assets.c'),
  assets.map((asset) => `/* ${asset.path} ${asset.hash} */\n`).join('') +
    `__asm__(\n    ".section .rodata\\n"\n` +
    assets.map((asset) => incbin(asset, 'br') + incbin(asset, 'gz')).join('') +
    `    ".text\\n");\n`,
);
const declared = (asset, form) => `extern "C" const char kin_page_${asset.index}_${form}[];\n`;
const bytes = (asset, form) => `{kin_page_${asset.index}_${form}, ${asset[form].length}}`;
writeFileSync(
  join(out, 'page_assets.cpp'),
  `#include "web/assets.h"\n\n` +
    assets.map((asset) => declared(asset, 'br') + declared(asset, 'gz')).join('') +
    `\nnamespace kin::web {\n\nstd::span<const Asset> page_assets() {\n` +
    `    static const Asset kAssets[] = {\n` +
    assets
      .map(
        (asset) =>
          `        {"${asset.path}", "${asset.type}", "${asset.hash}", ` +
          `${bytes(asset, 'br')}, ${bytes(asset, 'gz')}, ${asset.bytes.length}},\n`,
      )
      .join('') +
    `    };\n    return kAssets;\n}\n\n}  // namespace kin::web\n`,
);
