import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog } from '../../../web/app/src/terminal/backlog';

const kMegabyte = new Uint8Array(1 << 20);

/** A terminal that shows what it was given when it is told to. */
function slow() {
  const given: (Uint8Array | string)[] = [];
  const shown: (() => void)[] = [];
  const backlog = new Backlog((data, done) => {
    given.push(data);
    shown.push(done);
  });
  return { backlog, given, show: () => shown.shift()?.() };
}

test('what keeps pace is shown as it comes', () => {
  const { backlog, given, show } = slow();
  for (let i = 0; i < 100; i++) {
    backlog.take(kMegabyte);
    show();
  }
  assert.equal(given.length, 100);
});

test('what comes too fast is left out, and its place says so', () => {
  const { backlog, given, show } = slow();
  for (let i = 0; i < 100; i++) backlog.take(kMegabyte);
  assert.equal(given.length, 4);
  show();
  assert.equal(given.length, 4);
  show();
  assert.match(given[4] as string, /96.0 MB left out/);
  backlog.take(kMegabyte);
  assert.equal(given[5], kMegabyte);
});
