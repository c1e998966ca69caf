import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../../web/app/src/model/world';
import type { Drop, Lab } from '../../../web/app/src/model/things';
import { rowsOf } from '../../../web/app/src/tree/rows';
import { joined, pod, policy, service, shop } from './things';

const lab: Lab = {
  lab: 'demo',
  version: '1',
  words: '',
};
const drop = (number: number) => ({ number, from: 'pod shop/web-0', to: 'x', packets: 1 }) as Drop;

function full() {
  const world = new World();
  world.take({ type: 'snapshot', ...lab, things: shop }, 0);
  return world;
}

test('a delta adds, changes and removes', () => {
  const world = full();
  const changed = pod('shop/web-0', 'node-1', { status: 'Terminating' });
  world.take({ type: 'delta', set: [changed, pod('a/new', 'node-1')], gone: ['pod/shop/db-0'] }, 7);
  assert.deepEqual(world.things.get('pod/shop/web-0'), changed);
  assert.ok(world.things.has('pod/a/new'));
  assert.ok(!world.things.has('pod/shop/db-0'));
  assert.equal(world.changed.get('pod/a/new'), 7);
});

test('the first snapshot is no news, a later one only where it differs', () => {
  const world = full();
  assert.equal(world.changed.size, 0);
  const later = [...shop.filter(({ id }) => id !== 'pod/shop/db-0'), pod('a/new', 'node-2')];
  world.take({ type: 'snapshot', ...lab, things: later }, 9);
  assert.deepEqual([...world.changed.keys()], ['pod/a/new']);
  assert.ok(!world.things.has('pod/shop/db-0'));
});

test('a page notices that the lab runs another kin than when it was loaded', () => {
  const world = full();
  world.take({ type: 'snapshot', ...lab, things: shop }, 1);
  assert.ok(!world.outdated);
  world.take({ type: 'snapshot', ...lab, version: '2', things: shop }, 2);
  assert.ok(world.outdated);
});

test('counts that went up are news, those that fell are not', () => {
  const world = full();
  world.take({ type: 'tick', counts: { s: { a: 5, b: 1 } }, drops: [] }, 1);
  assert.deepEqual([...world.counted], [], 'what the first tick tells was before');
  world.take({ type: 'tick', counts: { s: { a: 6, b: 0, c: 1 } }, drops: [] }, 2);
  assert.deepEqual([...world.counted], [['s>a', 2], ['s>c', 2]]);
  assert.deepEqual(world.counts, { s: { a: 6, b: 0, c: 1 } });
});

test('counts are no news as long as none were known', () => {
  const world = full();
  world.take({ type: 'tick', drops: [] }, 1);
  world.take({ type: 'tick', counts: { s: { a: 5 } }, drops: [] }, 2);
  assert.equal(world.counted.size, 0);
  world.take({ type: 'tick', counts: { s: { a: 6 } }, drops: [] }, 3);
  assert.deepEqual([...world.counted], [['s>a', 3]]);
});

test('what is not counted any more is forgotten', () => {
  const world = full();
  world.take({ type: 'tick', counts: {}, drops: [] }, 1);
  world.take({ type: 'tick', counts: { s: { a: 1 }, t: { b: 1 } }, drops: [] }, 2);
  world.take({ type: 'tick', counts: { s: { a: 1 } }, drops: [] }, 3);
  assert.deepEqual([...world.counted], [['s>a', 2]]);
});

test('drops are news if they came after the first tick behind a snapshot', () => {
  const news = () => world.news.map(({ number }) => number);
  const world = full();
  world.take({ type: 'tick', counts: {}, drops: [drop(1), drop(2)] }, 1);
  assert.deepEqual(news(), []);
  world.take({ type: 'tick', counts: {}, drops: [drop(3)] }, 2);
  assert.deepEqual(news(), [3]);
  world.take({ type: 'tick', counts: { s: { a: 1 } }, drops: [] }, 3);
  assert.deepEqual(news(), []);
  world.take({ type: 'snapshot', ...lab, things: shop }, 4);
  world.take({ type: 'tick', counts: {}, drops: [drop(3), drop(4)] }, 5);
  assert.deepEqual(news(), []);
  world.take({ type: 'tick', drops: [{ ...drop(4), packets: 2 }] }, 6);
  assert.deepEqual(news(), [4], 'it has happened again');
});

test('drops are taken once, and the oldest go', () => {
  const world = full();
  world.take({ type: 'tick', counts: {}, drops: [drop(1), drop(2)] }, 1);
  world.take({ type: 'tick', counts: {}, drops: [drop(2), drop(3)] }, 2);
  assert.deepEqual(world.drops.map(({ number }) => number), [1, 2, 3]);
  world.take({ type: 'tick', counts: {}, drops: Array.from({ length: 300 }, (_, i) => drop(i + 4)) }, 3);
  assert.equal(world.drops.length, 200);
  assert.equal(world.drops.at(-1)!.number, 303);
});

test('a drop that was repeated counts up where it is', () => {
  const world = full();
  world.take({ type: 'tick', drops: [drop(1), drop(2)] }, 1);
  world.take({ type: 'tick', drops: [{ ...drop(1), packets: 4 }] }, 2);
  assert.deepEqual(world.drops.map(({ number, packets }) => [number, packets]), [[1, 4], [2, 1]]);
});

test('drops of a lab that was started anew take the place of the older ones', () => {
  const world = full();
  world.take({ type: 'tick', drops: [drop(1), drop(2)] }, 1);
  world.take({ type: 'snapshot', ...lab, things: shop }, 2);
  world.take({ type: 'tick', drops: [drop(1)] }, 3);
  assert.deepEqual(world.drops.map(({ number }) => number), [1]);
});

test('a tick without counts leaves them as they were', () => {
  const world = full();
  world.take({ type: 'tick', counts: { s: { a: 5 } }, drops: [] }, 1);
  world.take({ type: 'tick', drops: [] }, 2);
  assert.deepEqual(world.counts, { s: { a: 5 } });
});

test('the ends of a drop are found on the map', () => {
  const world = full();
  assert.equal(world.placeOf('pod shop/web-0'), 'pod/shop/web-0');
  assert.equal(world.placeOf('node-1'), 'host/node-1');
  assert.equal(world.placeOf('203.0.113.10'), 'host/client');
  assert.equal(world.placeOf('8.8.8.8'), null);
});

const tree = (world: World, options: Partial<Parameters<typeof rowsOf>[1]> = {}) =>
  rowsOf(world, { ns: null, words: '', collapsed: new Set(), ...options });
const titles = (world: World, options = {}) => tree(world, options).map(({ title }) => title);

test('the tree has groups, nodes and what belongs to them', () => {
  assert.deepEqual(titles(full(), { ns: 'shop' }), [
    'Ingress', 'shop', 'Services', 'db', 'web', 'Network policies', 'db',
    'node-1', 'web-0', 'node-2', 'web-1', 'node-3', 'broken', 'db-0', 'client', 'router',
  ]);
});

test('a search leaves what contains all words, and where it is', () => {
  assert.deepEqual(titles(full(), { words: 'pod shop web' }), ['node-1', 'web-0', 'node-2', 'web-1']);
  assert.deepEqual(titles(full(), { words: '10.96.0.21' }), ['Services', 'db']);
  assert.deepEqual(titles(full(), { words: 'nothing like it' }), []);
});

test('a search finds labels as they are written, and who chooses pods by them', () => {
  const world = full();
  const labels = { app: 'web', tier: 'front' };
  const selector = { app: 'web' };
  const set = [pod('shop/web-0', 'node-1', { labels }), service('shop/web', [], { selector }), policy('shop/db', [], { selector: 'app=web' })];
  world.take({ type: 'delta', set, gone: [] }, 1);
  assert.deepEqual(titles(world, { words: 'app=web' }), ['Services', 'web', 'Network policies', 'db', 'node-1', 'web-0']);
  assert.deepEqual(titles(world, { words: 'tier=front' }), ['node-1', 'web-0']);
  assert.deepEqual(titles(world, { words: 'front pod' }), ['node-1', 'web-0']);
});

test('what is folded hides its children but not from a search', () => {
  const collapsed = new Set(['host/node-1']);
  assert.ok(!titles(full(), { collapsed }).includes('web-0'));
  assert.ok(titles(full(), { collapsed, words: 'web-0' }).includes('web-0'));
  const open = (words: string) => tree(full(), { collapsed, words }).find(({ id }) => id === 'host/node-1')!.open;
  assert.deepEqual([open(''), open('web-0')], [false, true]);
});

test('rows say in words what the map draws', () => {
  const world = full();
  const spoken = (id: string, options = {}) => tree(world, options).find((row) => row.id === id)!.spoken;
  assert.equal(spoken('pod/shop/web-0'), 'pod shop/web-0, Running, ready, 10.244.1.3');
  assert.equal(spoken('pod/shop/broken'), 'pod shop/broken, ImagePullBackOff, no address');
  assert.equal(spoken('service/shop/web'), 'Service shop/web, 10.96.0.20, leads to web-0, web-1');
  world.take({ type: 'delta', set: [service('shop/web', [])], gone: [] }, 1);
  assert.match(spoken('service/shop/web'), /leads nowhere$/);
  world.take({ type: 'delta', set: [service('shop/web', [], { externalName: 'db.example.com' })], gone: [] }, 1);
  assert.match(spoken('service/shop/web'), /leads to db.example.com$/);
  const reach = {
    pod: 'pod/shop/db-0',
    to: { 'pod/shop/web-1': { allowed: false, port: 80 } },
    from: { 'pod/shop/web-0': { allowed: false, port: 5432 }, 'pod/shop/web-1': { allowed: false, port: 5432 } },
  };
  assert.match(spoken('pod/shop/web-0', { reach }), /10.244.1.3, may not reach db-0 at TCP port 5432$/);
  assert.match(spoken('pod/shop/web-1', { reach }), /, db-0 may not reach it at TCP port 80, may not reach db-0 at TCP port 5432$/);
});

test('a node says in words what it holds for pods and for other nodes', () => {
  const spoken = (cni: string, overlay: string) => {
    const world = new World();
    world.take({ type: 'snapshot', ...lab, things: joined(shop, cni, overlay) }, 0);
    return tree(world).find((row) => row.id === 'host/node-2')!.spoken;
  };
  assert.equal(spoken('ptp', 'none'), 'node node-2, 172.30.0.3');
  assert.equal(spoken('bridge', 'none'), 'node node-2, 172.30.0.3, pods on bridge cni0 10.244.2.1/24');
  assert.equal(spoken('ptp', 'vxlan'), 'node node-2, 172.30.0.3, tunnel vxlan.1 to the other nodes');
});

test('a pod that no node has yet is in the tree', () => {
  const world = full();
  world.take({ type: 'delta', set: [pod('shop/late', '')], gone: [] }, 1);
  assert.ok(titles(world).includes('On no node yet'));
});

test('a pod knows the policies that isolate it', () => {
  const world = full();
  world.take({ type: 'delta', set: [policy('shop/more', ['shop/db-0'])], gone: [] }, 1);
  assert.deepEqual(
    world.of('policy').filter(({ pods }) => pods.includes('pod/shop/db-0')).map(({ name }) => name).sort(),
    ['db', 'more'],
  );
});
