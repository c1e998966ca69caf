import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog } from '../../../web/app/src/terminal/backlog';

/** 64 KiB that say which they are. */
const chunk = (number: number) => new Uint8Array(64 << 10).fill(number);

/** A terminal that shows what it was given when it is told to; what it was given, in a word each. */
function slow() {
  const given: string[] = [];
  const shown: (() => void)[] = [];
  const backlog = new Backlog((data, done) => {
    given.push(typeof data === 'string' ? data.trim() : `${data[0]}`);
    if (typeof data === 'string') done();
    else shown.push(done);
  });
  return { backlog, given, show: () => shown.shift()?.() };
}

test('what keeps pace is shown as it comes', () => {
  const { backlog, given, show } = slow();
  for (let i = 0; i < 100; i++) {
    backlog.take(chunk(i));
    show();
  }
  assert.deepEqual(given, Array.from({ length: 100 }, (_, i) => `${i}`));
});

test('what waits is shown in order, a little at a time', () => {
  const { backlog, given, show } = slow();
  for (let i = 0; i < 10; i++) backlog.take(chunk(i));
  assert.deepEqual(given, ['0', '1']);
  for (let i = 0; i < 10; i++) show();
  assert.deepEqual(given, Array.from({ length: 10 }, (_, i) => `${i}`));
});

test('of what comes too fast the newest is shown, and the place of the rest says so', () => {
  const { backlog, given, show } = slow();
  for (let i = 0; i < 106; i++) backlog.take(chunk(i));
  for (let i = 0; i < 106; i++) show();
  assert.equal(given.length, 2 + 1 + 8);
  assert.deepEqual(given.slice(0, 2), ['0', '1']);
  assert.match(given[2]!, /\[6\.0 MB left out: they came faster than they can be shown\]$/);
  assert.deepEqual(given.slice(3), Array.from({ length: 8 }, (_, i) => `${98 + i}`));
  backlog.take(chunk(200));
  assert.equal(given.at(-1), '200');
});
