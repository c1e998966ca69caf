import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Sizes {
  entry: { gzip: number };
  all: { gzip: number };
}

test('the page stays small: 90 KB until something is seen, 420 KB in all', () => {
  const sizes = JSON.parse(readFileSync(process.env.KIN_PAGE_SIZES!, 'utf8')) as Sizes;
  assert.ok(sizes.entry.gzip > 1000, 'there is no page');
  assert.ok(sizes.entry.gzip <= 90 * 1024, `${sizes.entry.gzip} bytes before the first paint`);
  assert.ok(sizes.all.gzip <= 420 * 1024, `${sizes.all.gzip} bytes in all`);
});
