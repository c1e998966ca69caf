import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newest, type EventObject } from '../../../web/app/src/screens/event_feed';

const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1000).toISOString();
const event = (name: string, seconds: number) =>
  ({
    metadata: { uid: name, name, namespace: 'a', resourceVersion: '1', creationTimestamp: at(0) },
    lastTimestamp: at(seconds),
  }) as EventObject;

test('of many events the newest stay, whatever their names', () => {
  const many = Array.from({ length: 3000 }, (_, i) => event(String(i).padStart(4, '0'), i));
  const kept = [...newest(many).keys()];
  assert.equal(kept.length, 2000);
  assert.deepEqual([kept[0], kept.at(-1)], ['2999', '1000']);
});
