// Bundles the page and its tests into the folder named first, then runs the tests: node test.mjs DIR
import { build } from 'esbuild';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const source = resolve(here, '../..');
const tests = join(source, 'tests/web/app');
const out = resolve(process.argv[2] ?? join(here, 'build'));

execFileSync(process.execPath, [join(here, 'build.mjs'), join(out, 'page')], { stdio: 'inherit' });
await build({
  entryPoints: readdirSync(tests)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(tests, name)),
  outdir: join(out, 'tests'),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node18',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  nodePaths: [join(here, 'node_modules')],
  logLevel: 'warning',
});
const bundles = readdirSync(join(out, 'tests')).map((name) => join(out, 'tests', name));
const { status } = spawnSync(process.execPath, ['--test', ...bundles], {
  stdio: 'inherit',
  env: { ...process.env, KIN_SOURCE: source, KIN_PAGE_SIZES: join(out, 'page/sizes.json') },
});
process.exit(status ?? 1);
