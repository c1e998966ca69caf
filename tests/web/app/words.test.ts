import assert from 'node:assert/strict';
import { test } from 'node:test';
import { along, shorten } from '../../../web/app/src/map/painter';
import { fit, reveal, settle, zoom } from '../../../web/app/src/map/camera';
import { emptyScene } from '../../../web/app/src/map/scene';
import { hit } from '../../../web/app/src/map/draw';
import { layout } from '../../../web/app/src/map/layout';
import { cniWords, overlayWords } from '../../../web/app/src/model/ways';
import { node, shop } from './things';

test('names of pods keep their beginning and their end', () => {
  assert.equal(shorten('web-678b8c8999-flv8b', 20), 'web-678b8c8999-flv8b');
  assert.equal(shorten('web-678b8c8999-flv8b', 14), 'web-678…-flv8b');
  assert.equal(shorten('abcdef', 3), 'abc');
});

test('the ways of a lab have words, and those not known their names', () => {
  const ways = (cni: string, overlay: string) => {
    const host = { ...node('node-1', 1), cni, overlay };
    return [cniWords(host), overlayWords(host)];
  };
  assert.deepEqual(ways('ptp', 'none'), ['ptp (a routed veth each)', 'plain routes']);
  assert.deepEqual(ways('bridge', 'vxlan'), [
    'bridge (cni0, isolated ports)',
    'VXLAN (vxlan.1, VNI 1, UDP 4789, MTU 1450)',
  ]);
  assert.deepEqual(ways('future', 'ipip'), ['future', 'ipip']);
});

test('zooming keeps the point under the pointer', () => {
  const before = { scale: 1, x: 10, y: 20, w: 800, h: 600 };
  const after = zoom(before, 1.7, 300, 200);
  assert.equal((300 - before.x) / before.scale, (300 - after.x) / after.scale);
  assert.equal(zoom(before, 1e9, 0, 0).scale, 3);
  assert.equal(zoom(before, 1e-9, 0, 0).scale, 0.08);
});

test('the whole scene fits into the view', () => {
  const { scene } = layout(shop, { ns: null });
  const { scale, x, y } = fit(scene, 700, 500);
  assert.ok(x >= 0 && x + scene.width * scale <= 700);
  assert.ok(y >= 0 && y + scene.height * scale <= 500);
  assert.ok(Number.isFinite(fit(emptyScene, 0, 0).scale));
});

test('a panel that opens does not make names too small to read', () => {
  const scene = { ...emptyScene, width: 1000, height: 600 };
  const box = { x: 900, y: 100, w: 50, h: 50 };
  const before = { ...fit(scene, 700, 500), w: 400 };
  assert.deepEqual(settle(before, scene, box), reveal(before, box));
  assert.deepEqual(settle(before, scene), fit(scene, 400, 500), 'nothing is chosen');
  assert.deepEqual(settle({ ...before, w: 800 }, scene, box), fit(scene, 800, 500), 'there is room');
  const far = { ...before, scale: 0.2 };
  assert.deepEqual(settle(far, scene, box), fit(scene, 400, 500), 'they were too small before');
});

test('revealing moves as far as it must, and not at all if it need not', () => {
  const view = { scale: 1, x: 0, y: 0, w: 800, h: 600 };
  assert.equal(reveal(view, { x: 100, y: 100, w: 50, h: 50 }), view);
  assert.deepEqual(reveal(view, { x: 900, y: 100, w: 50, h: 50 }), { ...view, x: -166 });
});

test('a point hits the pod rather than its node, and nothing beside them', () => {
  const { scene } = layout(shop, { ns: null });
  const box = scene.byId.get('pod/shop/web-0')!;
  assert.equal(hit(scene, box.x + 1, box.y + 1)!.id, 'pod/shop/web-0');
  assert.equal(hit(scene, box.x + 1, box.y - 5)!.id, 'host/node-1');
  assert.equal(hit(scene, -5, -5), null);
});

test('lines begin and end where they say', () => {
  const { scene } = layout(shop, { ns: null });
  for (const line of scene.lines) {
    const end = along(line, 1);
    assert.deepEqual([end.x, end.y], [...line.points.at(-1)!]);
  }
});
