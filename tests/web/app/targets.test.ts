import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetsOf, uncounted, whyNowhere } from '../../../web/app/src/model/targets';
import type { Service } from '../../../web/app/src/model/things';
import { service } from './things';

const countsOf = (of: Service, counts: Record<string, number>) =>
  targetsOf(of, { [of.id]: counts }).map(({ ip, ready, count }) => [ip, ready, count]);

test('a pod has its own count, 0 until it is led to', () => {
  const endpoints = [{ ip: '1', ready: true, pod: 'pod/a/b' }, { ip: '2', ready: false, pod: 'pod/a/c' }];
  assert.deepEqual(countsOf(service('a/s', [], { endpoints }), { 'pod/a/b': 3 }), [['1', true, 3], ['2', false, 0]]);
});

test('an address that several slices name is there once, ready if one of them says so', () => {
  const endpoints = [{ ip: '1', ready: false, pod: 'pod/a/b' }, { ip: '1', ready: true, pod: 'pod/a/b' }];
  assert.deepEqual(countsOf(service('a/s', [], { endpoints }), { 'pod/a/b': 3 }), [['1', true, 3]]);
});

test('the one endpoint that is no pod has what is counted for its slice; of several nobody knows', () => {
  const pod = { ip: '1', ready: true, pod: 'pod/a/b' };
  const [one, other] = [{ ip: '8', ready: true }, { ip: '9', ready: true }];
  const counts = { 'pod/a/b': 1, 'pod/a/slice': 5 };
  assert.deepEqual(countsOf(service('a/s', [], { endpoints: [pod, one] }), counts), [['1', true, 1], ['8', true, 5]]);
  assert.deepEqual(
    countsOf(service('a/s', [], { endpoints: [pod, one, other] }), counts),
    [['1', true, 1], ['8', true, null], ['9', true, null]],
  );
});

test('headless Services and those with affinity are not counted, and say why', () => {
  for (const more of [{ ip: 'None' }, { affinity: 10800 }]) {
    const of = service('a/s', ['a/b'], more);
    assert.deepEqual(countsOf(of, {}), [['10.244.1.9', true, null]]);
    assert.notEqual(uncounted(of), '');
  }
  assert.equal(uncounted(service('a/s', [])), '');
});

test('a Service that leads nowhere says what that means for it', () => {
  const selector = { app: 'web' };
  const said = (more: Partial<Service>) => whyNowhere(service('a/s', [], more));
  assert.match(said({ selector }), /refused at once. Does the selector/);
  assert.match(said({}), /refused at once. Without a selector/);
  assert.match(said({ ip: 'None', selector }), /no address in DNS. Does the selector/);
  assert.match(said({ ip: '', externalName: 'db.example.com' }), /the name db.example.com/);
});
