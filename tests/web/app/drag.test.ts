import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Drag } from '../../../web/app/src/map/drag';

const kMain = 0;
const kRight = 2;
const kMainDown = 1;
const at = (x: number, y = 0) => ({ x, y });

function pressed() {
  const drag = new Drag();
  drag.down(at(10), kMain);
  return drag;
}

test('a press that hardly moves is a click', () => {
  const drag = pressed();
  assert.deepEqual(drag.move(at(12), kMainDown), at(0));
  assert.ok(drag.up(kMain));
});

test('one that moves drags, step by step, and is no click', () => {
  const drag = pressed();
  assert.deepEqual(drag.move(at(20, 5), kMainDown), at(10, 5));
  assert.deepEqual(drag.move(at(21, 5), kMainDown), at(1, 0));
  assert.ok(!drag.up(kMain));
  assert.equal(drag.move(at(30), 0), null);
});

test('other buttons neither drag nor click', () => {
  const drag = new Drag();
  drag.down(at(10), kRight);
  assert.equal(drag.move(at(40), 2), null);
  assert.ok(!drag.up(kRight));
});

test('what was let go out of sight, or taken over by the browser, does not stick', () => {
  const drag = pressed();
  assert.equal(drag.move(at(40), 0), null);
  assert.ok(!drag.up(kMain));
  const taken = pressed();
  taken.cancel();
  assert.equal(taken.move(at(40), kMainDown), null);
});
