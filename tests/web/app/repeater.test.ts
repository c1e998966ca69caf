import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Repeater } from '../../../web/app/src/model/repeater';

/** Lets everything that is due run. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test('asks at once, and again when asked to, one question at a time', async () => {
  const open: (() => void)[] = [];
  const repeater = new Repeater(0, () => new Promise((answer) => open.push(answer)));
  assert.equal(open.length, 1);
  repeater.again();
  repeater.again();
  await turn();
  assert.equal(open.length, 1, 'the first is not answered yet');
  open[0]!();
  while (open.length < 2) await turn();
  open[1]!();
  await turn();
  assert.equal(open.length, 2, 'two wishes were one');
  repeater.end();
});

test('answers keep coming while changes do', async () => {
  let answers = 0;
  const repeater = new Repeater(1, async () => void answers++);
  while (answers < 5) {
    repeater.again();
    await turn();
  }
  repeater.end();
});

test('asks nothing after its end, and says so to what is on its way', async () => {
  let asked = 0;
  let signal: AbortSignal | undefined;
  const repeater = new Repeater(0, async (given) => {
    asked++;
    signal = given;
  });
  await turn();
  repeater.again();
  repeater.end();
  repeater.again();
  await turn();
  await turn();
  assert.equal(asked, 1);
  assert.ok(signal!.aborted);
});
