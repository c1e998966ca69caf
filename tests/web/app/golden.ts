import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Compares with tests/golden/web/NAME; KIN_UPDATE_GOLDEN=1 writes it instead. */
export function expectGolden(name: string, text: string) {
  const path = join(process.env.KIN_SOURCE ?? '.', 'tests/golden/web', name);
  if (process.env.KIN_UPDATE_GOLDEN) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  assert.ok(existsSync(path), `${path} is not there; KIN_UPDATE_GOLDEN=1 writes it`);
  assert.equal(text, readFileSync(path, 'utf8'));
}
