import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draw } from '../../../web/app/src/map/draw';
import { layout, type LayoutOptions } from '../../../web/app/src/map/layout';
import { amongRunning, dropLines, type Reach } from '../../../web/app/src/map/lines';
import { pictureOf } from '../../../web/app/src/map/picture';
import { kOverlays, type Box, type Line, type Scene } from '../../../web/app/src/map/scene';
import { SvgPainter } from '../../../web/app/src/map/svg_painter';
import { dark, light } from '../../../web/app/src/map/theme';
import { assign } from '../../../web/app/src/map/slots';
import type { LineStyle, Painter, Rect, RectStyle, Text, TextStyle } from '../../../web/app/src/map/painter';
import type { Counts, Thing } from '../../../web/app/src/model/things';
import { expectGolden } from './golden';
import { ingress, joined, many, node, outside, pod, policy, service, shop } from './things';

const all: LayoutOptions = { ns: null };
const scene = (things: Thing[], options = all) => layout(things, options).scene;
const place = (on: Scene, id: string) => {
  const { x, y, w, h } = on.byId.get(id)!;
  return { x, y, w, h };
};
const linesOf = (on: Scene, ...kinds: string[]) =>
  on.lines.filter(({ kind }) => kinds.includes(kind)).map(({ kind, from, to }) => `${from} ${kind} ${to}`);

function svg(on: Scene, options: { scale?: number; selected?: string; dark?: boolean } = {}) {
  const { scale = 1 } = options;
  const theme = options.dark ? dark : light;
  const painter = new SvgPainter();
  const view = { scale, x: 0, y: 0, w: on.width * scale, h: on.height * scale };
  const selected = options.selected ?? null;
  draw(on, view, theme, { ...idle, drops: [], fresh: () => 0, selected }, painter);
  return painter.document(on.width, on.height, theme.ground);
}
const idle = {
  counts: { 'service/shop/web': { 'pod/shop/web-0': 12 } },
  hovered: null,
  marked: [],
  overlays: new Set(kOverlays),
};

test('the picture to be kept is the map at its own size', () => {
  const on = scene(shop);
  const shown = { ...idle, scene: on, theme: light, selected: null, changed: new Map(), counted: new Map() };
  assert.equal(pictureOf({ ...shown, hovered: 'pod/shop/web-0' }), svg(on));
});

const reach: Reach = {
  pod: 'pod/shop/db-0',
  to: { 'pod/shop/web-0': { allowed: true, port: 80 }, 'pod/shop/web-1': { allowed: true, port: 80 } },
  from: {
    'pod/shop/web-0': { allowed: true, port: 5432 },
    'pod/shop/web-1': { allowed: false, port: 5432, why: 'denied' },
  },
};

test('a small shop looks as it should', () => expectGolden('shop.svg', svg(scene(shop))));
test('in the dark and from afar, too', () =>
  expectGolden('shop-dark-far.svg', svg(scene(shop), { scale: 0.3, dark: true })));
test('a selected pod shows what policies cut', () => {
  const on = scene(shop, { ns: null, reach });
  expectGolden('shop-policy.svg', svg(on, { selected: 'pod/shop/db-0' }));
});

const bridged = joined(shop, 'bridge', 'none');
const tunnelled = joined(shop, 'ptp', 'vxlan');
const both = joined(shop, 'bridge', 'vxlan');
test('pods on bridges look as they should', () => expectGolden('shop-bridge.svg', svg(scene(bridged))));
test('so do nodes joined by a tunnel', () => expectGolden('shop-vxlan.svg', svg(scene(tunnelled))));
test('and both together, in the dark', () =>
  expectGolden('shop-bridge-vxlan-dark.svg', svg(scene(both), { dark: true })));

test('the veths of pods end at their bridge', () => {
  const on = scene(both);
  for (const line of on.lines.filter(({ kind, from }) => kind === 'wire' && from.startsWith('pod/'))) {
    const bridge = place(on, `${line.to} bridge`);
    const [x, y] = line.points.at(-1)!;
    assert.ok(x > bridge.x && x < bridge.x + bridge.w && y === bridge.y, line.from);
  }
});

test('a pod without a network has no wire', () => {
  const wired = (things: Thing[]) => linesOf(scene(things), 'wire').map((line) => line.split(' ')[0]);
  assert.ok(wired(shop).includes('pod/shop/web-0'));
  assert.ok(!wired(shop).includes('pod/shop/broken'));
  const done = pod('shop/web-0', 'node-1', { link: '', phase: 'Succeeded', status: 'Completed', ready: false });
  assert.ok(!wired([...shop.filter(({ id }) => id !== done.id), done]).includes(done.id));
});

test('without a bridge they end where the way to eth0 and to the tunnel begins', () => {
  const on = scene(joined(many(60, 5, 4), 'ptp', 'vxlan'));
  const wires = on.lines.filter(({ kind }) => kind === 'wire');
  const flat = wires.filter(({ points: [a, b], from, to }) => from === to && a![1] === b![1]);
  const onRail = (node: string, [x, y]: readonly [number, number]) =>
    flat.some(({ from, points: [a, b] }) => from === node && a![1] === y && a![0] <= x && x <= b![0]);
  for (const { from, to, points } of wires) {
    if (from.startsWith('pod/')) assert.ok(onRail(to, points.at(-1)!), from);
    if (from === to && points[0]![0] === points[1]![0]) assert.ok(onRail(from, points[0]!), from);
  }
});

test('every node has an end of the tunnel, and its cable all the same', () => {
  const nodes = ['host/node-1', 'host/node-2', 'host/node-3'];
  assert.deepEqual(linesOf(scene(both), 'tunnel'), nodes.map((id) => `${id} tunnel tunnel`));
  assert.deepEqual(linesOf(scene(bridged), 'tunnel'), []);
  for (const things of [shop, bridged, tunnelled, both])
    for (const id of nodes) assert.ok(linesOf(scene(things), 'wire').includes(`${id} wire fabric`), id);
});

test('a way that the page does not know looks as plain as can be', () =>
  assert.equal(svg(scene(joined(shop, 'future', 'future'))), svg(scene(shop))));

test('the same things in another order look the same', () =>
  assert.equal(svg(scene([...shop].reverse())), svg(scene(shop))));

test('a pod that comes or goes moves nothing else', () => {
  for (const things of [shop, both]) staysInPlace(things);
});

function staysInPlace(things: Thing[]) {
  const first = layout(things, all);
  const more = [...things, pod('shop/aaa', 'node-1'), pod('other/zzz', 'node-2')];
  const second = layout(more, all, first.slots);
  const third = layout(
    more.filter(({ id }) => id !== 'pod/shop/web-0'),
    all,
    second.slots,
  );
  for (const { id } of first.scene.boxes) {
    assert.deepEqual(place(second.scene, id), place(first.scene, id), id);
    if (id !== 'pod/shop/web-0') assert.deepEqual(place(third.scene, id), place(first.scene, id), id);
  }
}

test('a pod that comes takes the place of one that went', () => {
  const first = layout(shop, all);
  const without = shop.filter(({ id }) => id !== 'pod/shop/web-0');
  const second = layout(without, all, first.slots);
  const third = layout([...without, pod('shop/web-9', 'node-1')], all, second.slots);
  assert.deepEqual(place(third.scene, 'pod/shop/web-9'), place(first.scene, 'pod/shop/web-0'));
});

test('things stand where the lab says, whatever a page has seen before', () => {
  const at = (name: string, slot: number) => service(`shop/${name}`, [], { slot });
  const now = [at('c', 0), at('a', 2), { ...pod('shop/p', 'node-1'), slot: 1 }, node('node-1', 1)];
  const seen = layout([at('b', 0), at('c', 1), at('a', 2), node('node-1', 1)], all);
  const [fresh, stayed] = [layout(now, all), layout(now, all, seen.slots)];
  assert.equal(svg(stayed.scene), svg(fresh.scene));
  assert.ok(place(fresh.scene, 'service/shop/c').x < place(fresh.scene, 'service/shop/a').x - 300, 'a place between is free');
  // A namespace alone has no holes.
  const alone = scene(now, { ns: 'shop' });
  assert.ok(place(alone, 'service/shop/c').x - place(alone, 'service/shop/a').x < 300);
});

test('slots keep who stays, fill from the front and end with somebody', () => {
  assert.deepEqual(assign(undefined, ['a', 'b', 'c']), ['a', 'b', 'c']);
  assert.deepEqual(assign(['a', 'b', 'c'], ['c']), [null, null, 'c']);
  assert.deepEqual(assign(['a', 'b', 'c'], ['c', 'd', 'e', 'f']), ['d', 'e', 'c', 'f']);
  assert.deepEqual(assign(['a', 'b'], ['a']), ['a']);
  assert.deepEqual(assign(['a'], []), []);
});

test('nothing lies on anything else', () => {
  const labs = [shop, many(7, 1, 3), many(60, 5, 40)];
  const ways = labs.map((things) => joined(things, 'bridge', 'vxlan'));
  for (const things of [...labs, ...ways, waiting(3), waiting(30), bridged, tunnelled, many(1000, 20, 60)]) {
    const on = scene(things);
    const overlap = (a: Box, b: Box) =>
      a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    const inside = (a: Box, b: Box) =>
      a.x >= b.x && a.y >= b.y && a.x + a.w <= b.x + b.w && a.y + a.h <= b.y + b.h;
    on.boxes.forEach((a, i) => {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.w <= on.width && a.y + a.h <= on.height, a.id);
      for (const b of on.boxes.slice(i + 1)) {
        const within = ['node', 'tray'].includes(a.kind) && ['pod', 'chip', 'device'].includes(b.kind);
        assert.ok(within ? inside(b, a) || !overlap(a, b) : !overlap(a, b), `${a.id} on ${b.id}`);
      }
    });
  }
});

test('lines pass the boxes of rails, and each other, however many rows there are', () => {
  const names = Array.from({ length: 16 }, (_, at) => `load/svc-${at}`);
  const on = scene([...many(12, 2, 16), ...names.map((name) => ingress(`${name}-way`, name.slice('load/'.length)))]);
  const rails = on.boxes.filter(({ kind }) => kind === 'service' || kind === 'ingress');
  assert.ok(new Set(rails.map(({ y }) => y)).size >= 8, 'several rows each');
  const lanes = new Map<number, { from: string; kind: string; top: number; bottom: number }[]>();
  for (const { kind, from, to, points, curve } of on.lines.filter(({ kind }) => kind === 'service' || kind === 'ingress')) {
    const straight = curve ? points.slice(0, -1) : points;
    for (let at = 1; at < straight.length; at++) {
      const [[ax, ay], [bx, by]] = [straight[at - 1]!, straight[at]!];
      const [left, right, top, bottom] = [Math.min(ax, bx), Math.max(ax, bx), Math.min(ay, by), Math.max(ay, by)];
      for (const box of rails) {
        const crosses = left < box.x + box.w && right > box.x && top < box.y + box.h && bottom > box.y;
        const passes = left <= box.x + box.w && right >= box.x && top < box.y + box.h && bottom > box.y;
        assert.ok(!crosses && !passes, `${from} to ${to} through ${box.id}`);
      }
      if (left === right) (lanes.get(left) ?? lanes.set(left, []).get(left)!).push({ from, kind, top, bottom });
    }
  }
  for (const list of lanes.values())
    for (const a of list)
      for (const b of list)
        if (a.from !== b.from && a.kind === 'service' && b.kind === 'service')
          assert.ok(a.top >= b.bottom || b.top >= a.bottom, `${a.from} on ${b.from}`);
});

const stuck = (name: string) =>
  pod(`shop/${name}`, '', { ip: '', link: '', phase: 'Pending', status: 'Pending', ready: false, waits: '0/3 nodes are available' });
function waiting(pods: number): Thing[] {
  return [...shop, ...Array.from({ length: pods }, (_, at) => stuck(`stuck-${at}`))];
}
test('pods that no node takes are in a tray, which is there only for them', () => {
  expectGolden('shop-waiting.svg', svg(scene(waiting(4))));
  const [before, after] = [scene(shop), scene(waiting(4))];
  const tray = place(after, 'group/waiting');
  for (let at = 0; at < 4; at++) {
    const box = place(after, `pod/shop/stuck-${at}`);
    assert.ok(box.y > tray.y && box.y + box.h < tray.y + tray.h && box.x + box.w < tray.x + tray.w);
  }
  for (const { id } of before.boxes) assert.deepEqual(place(after, id), place(before, id), id);
  assert.ok(!before.byId.has('group/waiting'));
  // One that the scheduler has not looked at yet is on a node in a moment.
  assert.ok(!scene([...shop, pod('shop/new', '', { ip: '' })]).byId.has('group/waiting'));
  assert.ok(!layout(waiting(4), { ns: 'kube-system' }).scene.byId.has('group/waiting'));
});

test('every pod is inside of its node', () => {
  const on = scene(shop);
  for (const thing of shop) {
    if (thing.kind !== 'pod') continue;
    const [box, host] = [place(on, thing.id), place(on, `host/${thing.node}`)];
    assert.ok(box.x >= host.x && box.x + box.w <= host.x + host.w, thing.id);
    assert.ok(box.y >= host.y && box.y + box.h <= host.y + host.h, thing.id);
  }
});

test('Services lead to their endpoints, those not ready in another line', () => {
  const things = [
    node('node-1', 1),
    ...outside,
    pod('a/b', 'node-1'),
    pod('a/c', 'node-1'),
    service('a/s', [], {
      endpoints: [
        { ip: '1', ready: true, pod: 'pod/a/b' },
        { ip: '2', ready: false, pod: 'pod/a/c' },
        { ip: '172.30.0.2', ready: true },
        { ip: '9.9.9.9', ready: true },
      ],
    }),
  ];
  assert.deepEqual(linesOf(scene(things), 'service', 'unready'), [
    'service/a/s service pod/a/b',
    'service/a/s unready pod/a/c',
    'service/a/s service host/node-1',
  ]);
});

test('an ingress leads to Services of its own namespace', () =>
  assert.deepEqual(linesOf(scene(shop), 'ingress'), ['ingress/shop/shop ingress service/shop/web']));

test('policies cut lines only where they have a say', () => {
  const on = scene(shop, { ns: null, reach });
  assert.deepEqual(linesOf(on, 'allowed', 'denied'), [
    'pod/shop/web-0 allowed pod/shop/db-0',
    'pod/shop/web-1 denied pod/shop/db-0',
  ]);
  const without = shop.filter(({ kind }) => kind !== 'policy');
  assert.deepEqual(linesOf(scene(without, { ns: null, reach }), 'allowed', 'denied'), []);
});

test('pods that do not run are no part of what policies say', () => {
  const done = pod('shop/done', 'node-1', { phase: 'Succeeded', status: 'Completed' });
  const verdict = { allowed: false, port: 80 };
  const asked = { pod: 'pod/shop/db-0', to: { ...reach.to, [done.id]: verdict }, from: { 'pod/shop/broken': verdict, 'pod/gone/gone': verdict } };
  const things = new Map([...shop, done].map((thing) => [thing.id, thing]));
  assert.deepEqual(amongRunning(asked, things), { ...asked, to: reach.to, from: {} });
});

test('verdicts that forbid have a head at their end, as those that allow', () => {
  const lines: { list: readonly { kind: string }[]; arrow: number | undefined }[] = [];
  const on = scene(shop, { ns: null, reach });
  const painter = { rects() {}, texts() {}, marks() {}, lines: (list: readonly Line[], { arrow }: LineStyle) => lines.push({ list, arrow }) };
  const view = { scale: 1, x: 0, y: 0, w: on.width, h: on.height };
  draw(on, view, light, { ...idle, selected: 'pod/shop/db-0', drops: [], fresh: () => 0 }, painter as Painter);
  for (const kind of ['allowed', 'denied'])
    assert.ok(lines.some(({ list, arrow }) => list[0]?.kind === kind && arrow), kind);
});

test('the more lines of Services there are the fainter each is, until one is selected', () => {
  const names = Array.from({ length: 90 }, (_, at) => `load/p-${at}`);
  const on = scene([node('node-1', 1), ...names.map((name) => pod(name, 'node-1')), service('load/all', names)]);
  const opacity = (selected: string | null) => {
    let seen = 1;
    const lines = (list: readonly Line[], style: LineStyle) => list[0]?.kind === 'service' && (seen = style.opacity!);
    const view = { scale: 1, x: 0, y: 0, w: on.width, h: on.height };
    draw(on, view, light, { ...idle, selected, drops: [], fresh: () => 0 }, { rects() {}, texts() {}, marks() {}, lines } as unknown as Painter);
    return seen;
  };
  assert.ok(opacity(null) < 0.5);
  assert.equal(opacity('service/load/all'), 1);
});

test('a line says for which port policies have judged', () => {
  const on = scene(shop, { ns: null, reach });
  const labels = on.lines.filter(({ kind }) => kind === 'allowed' || kind === 'denied').map(({ label }) => label);
  assert.deepEqual(labels, [':5432', ':5432']);
  assert.match(svg(on), />:5432</);
});

test('a drop is drawn where things stand now, and not where one of them is not shown', () => {
  const drop = { from: 'pod/shop/web-0', to: 'pod/shop/db-0', port: 5432 };
  const before = scene(shop);
  const moved = scene([...shop, ...['a', 'b', 'c', 'd', 'e'].map((name) => ingress(`shop/${name}`, 'web'))]);
  assert.notDeepEqual(place(moved, drop.from), place(before, drop.from));
  for (const on of [before, moved]) {
    const [line] = dropLines([drop], on.byId);
    const from = place(on, drop.from);
    assert.deepEqual(line!.points[0], [from.x + from.w, from.y + from.h / 2]);
  }
  assert.deepEqual(dropLines([drop], scene(shop, { ns: 'kube-system' }).byId), []);
});

/** What a draw writes, and the plates that it writes numbers on. */
function written(on: Scene, scale: number, counts: Counts, selected: string | null = null) {
  const texts: (Text & { size: number })[] = [];
  const plates: Rect[] = [];
  const painter = {
    rects: (list: readonly Rect[], { stroke, width }: RectStyle) =>
      stroke === light.service && width === 1.2 && plates.push(...list),
    lines: () => {},
    texts: (list: readonly Text[], { size }: TextStyle) => texts.push(...list.map((text) => ({ ...text, size }))),
    marks: () => {},
  };
  const view = { scale, x: 0, y: 0, w: on.width * scale, h: on.height * scale };
  draw(on, view, light, { ...idle, counts, selected, drops: [], fresh: () => 0 }, painter as Painter);
  return { texts, plates };
}

test('counts of connections lie on nothing that can be read', () => {
  const twice = [...shop, service('shop/all', ['shop/web-0', 'shop/db-0']), pod('shop/web-2', 'node-1')];
  const counts = { 'service/shop/web': { 'pod/shop/web-0': 12345, 'pod/shop/web-2': 7 }, 'service/shop/all': { 'pod/shop/web-0': 5, 'pod/shop/db-0': 3 } };
  const on = scene(twice);
  const overlap = (a: Rect, b: Rect) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  for (const scale of [0.55, 0.7, 1, 1.5]) {
    const { texts, plates } = written(on, scale, counts);
    assert.equal(plates.length, 2, `at ${scale}`);
    for (const plate of plates) {
      const own = on.boxes.find((box) => box.kind === 'pod' && overlap(box, plate))!;
      for (const box of on.boxes)
        assert.ok(box === own || box.kind === 'node' || !overlap(box, plate), `on ${box.id} at ${scale}`);
      for (const { x, y, text, size, align, width } of texts) {
        if (align === 'center' || !text) continue;
        const w = Math.min(width ?? Infinity, text.length * size * 0.6);
        const area = { x: align === 'right' ? x - w : x, y: y - size * 0.8, w, h: size };
        assert.ok(!overlap(area, plate), `on "${text}" at ${scale}`);
      }
    }
  }
  assert.deepEqual(written(on, 0.2, counts).plates, [], 'too small to be read');
});

test('a count is of all Services, or of the one that is selected', () => {
  const on = scene([...shop, service('shop/all', ['shop/web-0'])]);
  const counts = { 'service/shop/web': { 'pod/shop/web-0': 12 }, 'service/shop/all': { 'pod/shop/web-0': 5 } };
  const said = (selected: string | null) =>
    written(on, 1, counts, selected).texts.filter(({ align }) => align === 'center').map(({ text }) => text);
  assert.deepEqual(said(null), ['17']);
  assert.deepEqual(said('service/shop/all'), ['5']);
  assert.deepEqual(said('pod/shop/web-0'), ['17']);
});

test('pods say in which direction they are isolated', () => {
  const things = [
    ...shop,
    policy('shop/out', ['shop/web-0', 'shop/db-0'], { ingress: false, egress: true }),
  ];
  const on = scene(things);
  assert.equal(on.byId.get('pod/shop/db-0')!.isolated, 'both');
  assert.equal(on.byId.get('pod/shop/web-0')!.isolated, 'out');
  assert.equal(on.byId.get('pod/shop/web-1')!.isolated, undefined);
});

test('one namespace at a time leaves the hosts', () => {
  const on = scene(shop, { ns: 'kube-system' });
  assert.ok(on.byId.has('pod/kube-system/coredns-a'));
  assert.ok(on.byId.has('host/node-3'));
  assert.ok(!on.byId.has('pod/shop/web-0'));
  assert.deepEqual(on.captions.map(({ text }) => text), ['Services']);
});

test('a namespace that is looked at alone is laid out as if there were no other', () => {
  const more = [...shop, ...['a', 'b', 'c', 'd', 'e'].map((name) => service(`aaa/${name}`, [])), pod('aaa/first', 'node-1')];
  const hosts = shop.filter(({ kind }) => kind === 'host');
  const alone = [...hosts, ...shop.filter(({ ns }) => ns === 'shop')];
  assert.equal(svg(scene(more, { ns: 'shop' })), svg(scene(alone)));
});

test('an empty lab and a node without pods have a picture', () => {
  assert.ok(scene([]).width > 0);
  assert.ok(scene([node('node-1', 1)]).byId.has('host/node-1'));
});

test('1,000 pods are laid out in a few milliseconds', () => {
  const things = many(1000, 20, 60);
  // Processor time, since the machine may be busy; ten times what it takes here.
  const begun = process.cpuUsage();
  for (let i = 0; i < 5; i++) layout(things, all);
  const { user, system } = process.cpuUsage(begun);
  assert.ok((user + system) / 1000 / 5 < 100);
});
