import { byKey, byName, byOwner, isSystem, stateOf } from '../model/things';
import type { Endpoint, Host, Ingress, Pod, Policy, Service, Thing } from '../model/things';
import type { Box, Caption, Line, Scene } from './scene';
import { assign, type Slots } from './slots';

/** Whom a pod may reach by the policies, and who may reach it: /kin/v1/reach. */
export interface Reach {
  pod: string;
  to: Record<string, { allowed: boolean; port: number; why?: string }>;
  from: Record<string, { allowed: boolean; port: number; why?: string }>;
}

export interface LayoutOptions {
  /** Only things of this namespace (and the hosts); null: of all. */
  ns: string | null;
  /** Lines from and to this pod, by what the policies say. */
  reach?: Reach | null;
}

export const kPod = { w: 196, h: 48, gap: 16, bus: 22 };
const kNode = { pad: 14, head: 44, rail: 26, chip: 20, gapX: 56, gapY: 40 };
const kRail = { w: 200, h: 58, gapX: 24, gapY: 16, caption: 16 };
const kBand = 46;
const kOutside = { w: 180, h: 44 };
const kMargin = 24;

type Point = readonly [number, number];

/** Pods of a node stand in so many columns: a step function, so that it rarely changes. */
export function columnsFor(pods: number): number {
  if (pods <= 5) return 1;
  if (pods <= 12) return 2;
  if (pods <= 24) return 3;
  if (pods <= 48) return 4;
  return Math.ceil(Math.sqrt(pods / 2.6));
}

export function nodeColumns(nodes: number): number {
  if (nodes <= 4) return Math.max(nodes, 1);
  return nodes <= 6 ? 3 : nodes <= 12 ? 4 : 5;
}

/**
 * Where everything stands. Pure: the same things and places give the same scene, and things that
 * stay keep their places.
 *
 *     ingress  ingress                 who is let in from outside, and to which Service
 *     service  service  service        addresses that lead to pods
 *     +-node-1----+ +-node-2----+
 *     | pod  pod  | | pod       |      pods on their node, by owner and name
 *     | rail      | | rail      |      the node's routes: where veths end
 *     +--eth0-----+ +--eth0-----+
 *     ====== fabric =============      the bridge between nodes
 *          router -- outside hosts
 */
export function layout(
  things: Iterable<Thing>,
  options: LayoutOptions,
  memory: Slots = new Map(),
): { scene: Scene; slots: Slots } {
  const all = sortOut(things, options.ns);
  const slots = new Map<string, (string | null)[]>();
  const keep = (group: string, ids: string[]) => {
    const places = assign(memory.get(group), ids);
    slots.set(group, places);
    return places;
  };
  const boxes: Box[] = [];
  const byId = new Map<string, Box>();
  const add = (box: Box) => {
    boxes.push(box);
    byId.set(box.id, box);
  };

  const ids = (list: Thing[]) => list.map((thing) => thing.id);
  // The system's own pods stand below the others: they were there before anybody's.
  const placesOf = (group: string, system: boolean) =>
    all.nodes.map((node) => {
      const own = all.pods.filter((pod) => pod.node === node.name && isSystem(pod.ns) === system);
      return keep(`${node.id} ${group}`, ids(own));
    });
  const most = (places: (string | null)[][]) => Math.max(0, ...places.map((list) => list.length));
  const own = placesOf('pods', false);
  const system = placesOf('system', true);
  const columns = columnsFor(most(own) + most(system));
  const ownRows = Math.max(2, Math.ceil(most(own) / columns));
  const rows = ownRows + Math.ceil(most(system) / columns);
  const size = {
    w: kNode.pad * 2 + columns * (kPod.w + kPod.bus) - 4,
    h: kNode.head + rows * (kPod.h + kPod.gap) + kNode.rail + kNode.chip + kNode.pad,
  };
  const across = nodeColumns(all.nodes.length);
  const width = Math.max(across * (size.w + kNode.gapX) - kNode.gapX + kNode.gapX, 760);

  const rail = new Rail(width, add);
  let y = rail.lay('Ingress', keep('ingress', ids(all.ingresses)), all.byId, kMargin, ingressBox);
  y = rail.lay('Services', keep('service', ids(all.services)), all.byId, y, serviceBox);
  const railBottom = y - kRail.gapY;
  y += y > kMargin ? kBand : 0;

  const isolation = isolated(all.policies);
  const nodesTop = y;
  all.nodes.forEach((node, index) => {
    const x = kMargin + kNode.gapX / 2 + (index % across) * (size.w + kNode.gapX);
    const top = nodesTop + Math.floor(index / across) * (size.h + kNode.gapY);
    add(nodeBox(node, x, top, size));
    const place = (id: string | null, column: number, row: number) => {
      const pod = id === null ? undefined : (all.byId.get(id) as Pod);
      if (!pod) return;
      add({
        ...podBox(pod, isolation.get(pod.id)),
        x: x + kNode.pad + kPod.bus - 4 + column * (kPod.w + kPod.bus),
        y: top + kNode.head + row * (kPod.h + kPod.gap),
        w: kPod.w,
        h: kPod.h,
        row,
      });
    };
    own[index]!.forEach((id, at) => place(id, at % columns, Math.floor(at / columns)));
    system[index]!.forEach((id, at) =>
      place(id, at % columns, ownRows + Math.floor(at / columns)),
    );
    const chips = all.chips.filter((pod) => pod.node === node.name);
    chips.forEach((pod, at) => {
      const w = (size.w - kNode.pad * 2 - 8 * (chips.length - 1)) / chips.length;
      add({
        ...podBox(pod),
        kind: 'chip',
        x: x + kNode.pad + at * (w + 8),
        y: top + size.h - kNode.chip - 10,
        w,
        h: kNode.chip,
      });
    });
  });

  const nodeRows = Math.ceil(all.nodes.length / across);
  y = nodesTop + nodeRows * (size.h + kNode.gapY);
  add({
    id: 'fabric',
    kind: 'fabric',
    x: kMargin,
    y,
    w: width,
    h: 24,
    title: 'fabric',
    sub: 'the bridge that joins the nodes and the router',
  });
  y += 24 + 34;
  all.outside.forEach((host, index) => {
    add({
      id: host.id,
      kind: host.role === 'router' ? 'router' : 'outside',
      x: kMargin + index * (kOutside.w + 60),
      y,
      ...kOutside,
      title: host.name,
      sub: host.ip,
    });
  });
  y += kOutside.h + kMargin;

  const lines = [
    ...wires(all, byId, columns),
    ...serviceLines(all.services, all.nodes, byId, railBottom),
    ...ingressLines(all.ingresses, byId),
    ...reachLines(options.reach, byId),
  ];
  const captions = rail.captions;
  return { scene: { captions, boxes, lines, byId, width: width + 2 * kMargin, height: y }, slots };
}

interface Sorted {
  byId: Map<string, Thing>;
  nodes: Host[];
  outside: Host[];
  pods: Pod[];
  chips: Pod[];
  services: Service[];
  ingresses: Ingress[];
  policies: Policy[];
}

function sortOut(things: Iterable<Thing>, ns: string | null): Sorted {
  const out: Sorted = {
    byId: new Map(),
    nodes: [],
    outside: [],
    pods: [],
    chips: [],
    services: [],
    ingresses: [],
    policies: [],
  };
  for (const thing of things) {
    if (ns !== null && thing.ns !== '' && thing.ns !== ns) continue;
    out.byId.set(thing.id, thing);
    if (thing.kind === 'host') (thing.role === 'node' ? out.nodes : out.outside).push(thing);
    else if (thing.kind === 'pod') (thing.hostNetwork ? out.chips : out.pods).push(thing);
    else if (thing.kind === 'service') out.services.push(thing);
    else if (thing.kind === 'ingress') out.ingresses.push(thing);
    else out.policies.push(thing);
  }
  out.nodes.sort(byName);
  const roles = ['router', 'outside'];
  out.outside.sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role) || byName(a, b));
  out.pods.sort(byOwner);
  out.chips.sort(byOwner);
  out.services.sort(byKey);
  out.ingresses.sort(byKey);
  return out;
}

/** Boxes in rows as wide as the nodes below them. Every other row is shifted by half a box, so that
 * lines from and to the rows behind it fall through its gaps. */
class Rail {
  readonly captions: Caption[] = [];
  constructor(
    private readonly width: number,
    private readonly add: (box: Box) => void,
  ) {}

  /** Returns where the next row begins. */
  lay(
    caption: string,
    places: readonly (string | null)[],
    byId: Map<string, Thing>,
    y: number,
    box: (thing: never) => Pick<Box, 'id' | 'kind' | 'title' | 'sub' | 'detail'>,
  ): number {
    if (places.length === 0) return y;
    const step = kRail.w + kRail.gapX;
    const shift = places.length * step > this.width + kRail.gapX ? step / 2 : 0;
    const inRow = Math.max(1, Math.floor((this.width + kRail.gapX - shift) / step));
    this.captions.push({ x: kMargin, y: y + 9, text: caption });
    y += kRail.caption;
    places.forEach((id, place) => {
      const thing = id === null ? undefined : byId.get(id);
      if (!thing) return;
      const row = Math.floor(place / inRow);
      this.add({
        ...box(thing as never),
        x: kMargin + (place % inRow) * step + (row % 2) * shift,
        y: y + row * (kRail.h + kRail.gapY),
        w: kRail.w,
        h: kRail.h,
      });
    });
    return y + Math.ceil(places.length / inRow) * (kRail.h + kRail.gapY) + kRail.gapY;
  }
}

function ingressBox(ingress: Ingress) {
  const first = ingress.routes[0];
  const more = ingress.routes.length > 1 ? ` +${ingress.routes.length - 1}` : '';
  return {
    id: ingress.id,
    kind: 'ingress' as const,
    title: ingress.name,
    sub: first ? `${first.host || '*'}${first.path || '/'}${more}` : 'no routes',
    detail: ingress.ns,
  };
}

function serviceBox(service: Service) {
  const port = service.ports[0];
  const address =
    service.ip === 'None' ? 'headless' : service.externalName || service.ip || service.type;
  return {
    id: service.id,
    kind: 'service' as const,
    title: service.name,
    sub: port && service.ip && service.ip !== 'None' ? `${address}:${port.port}` : address,
    detail: service.type === 'ClusterIP' ? service.ns : `${service.ns} · ${service.type}`,
  };
}

function nodeBox(node: Host, x: number, y: number, size: { w: number; h: number }): Box {
  return {
    id: node.id,
    kind: 'node',
    x,
    y,
    ...size,
    title: node.name,
    sub: `${node.ip}, pods ${node.pods || '?'}`,
    detail: [node.control && 'control-plane', node.cordoned && 'cordoned'].filter(Boolean).join(', '),
    state: node.ready ? 'ready' : 'failing',
  };
}

function podBox(pod: Pod, policies?: Box['isolated']): Box {
  const box: Box = {
    id: pod.id,
    kind: 'pod',
    x: 0,
    y: 0,
    w: 0,
    h: 0,
    title: pod.name,
    sub: pod.ready || !pod.status ? pod.ip || pod.phase : pod.status,
    detail: pod.ns,
    state: stateOf(pod),
  };
  if (policies) box.isolated = policies;
  return box;
}

function isolated(policies: Policy[]): Map<string, Box['isolated']> {
  const out = new Map<string, Box['isolated']>();
  for (const policy of policies) {
    const how = policy.ingress && policy.egress ? 'both' : policy.egress ? 'out' : 'in';
    for (const pod of policy.pods) {
      const before = out.get(pod);
      out.set(pod, before && before !== how ? 'both' : how);
    }
  }
  return out;
}

const below = (box: Box): Point => [box.x + box.w / 2, box.y + box.h];
const above = (box: Box): Point => [box.x + box.w / 2, box.y];

/** Veths from pods to their node's rail, cables from nodes to the fabric and on. */
function wires(all: Sorted, byId: Map<string, Box>, columns: number): Line[] {
  const out: Line[] = [];
  const fabric = byId.get('fabric')!;
  for (const node of all.nodes) {
    const box = byId.get(node.id)!;
    const left = box.x - kNode.gapX / 2 + 8;
    const out_at = box.y + box.h - kNode.rail - kNode.chip + 2;
    out.push({
      kind: 'wire',
      from: node.id,
      to: 'fabric',
      points: [
        [box.x, out_at],
        [left, out_at],
        [left, fabric.y],
      ],
      label: 'eth0',
    });
  }
  for (const pod of all.pods) {
    const box = byId.get(pod.id);
    const node = box && byId.get(`host/${pod.node}`);
    if (!box || !node) continue;
    const rail = node.y + node.h - kNode.rail - kNode.chip + 2;
    const bus = box.x - kPod.bus / 2;
    const y = box.y + box.h / 2;
    out.push({
      kind: 'wire',
      from: pod.id,
      to: node.id,
      points: [
        [box.x, y],
        [bus, y],
        [bus, rail],
      ],
    });
  }
  // The rail itself: the node's routes, where all of these meet.
  for (const node of all.nodes) {
    const box = byId.get(node.id)!;
    const rail = box.y + box.h - kNode.rail - kNode.chip + 2;
    const right = box.x + kNode.pad + kPod.bus / 2 - 4 + (columns - 1) * (kPod.w + kPod.bus);
    out.push({ kind: 'wire', from: node.id, to: node.id, points: [[box.x, rail], [right, rail]] });
  }
  const router = all.outside.find((host) => host.role === 'router');
  const at = router && byId.get(router.id);
  if (router && at) {
    out.push({
      kind: 'wire',
      from: router.id,
      to: 'fabric',
      points: [above(at), [at.x + at.w / 2, fabric.y + fabric.h]],
    });
    let before = at;
    for (const host of all.outside) {
      const box = byId.get(host.id);
      if (!box || host === router) continue;
      const y = box.y + box.h / 2;
      out.push({
        kind: 'wire',
        from: router.id,
        to: host.id,
        points: [
          [before.x + before.w, y],
          [box.x, y],
        ],
      });
      before = box;
    }
  }
  return out;
}

/** A line that leaves downwards, straight to `mid`, and arrives from above. */
function fall(from: Point, mid: Point, to: Point): Pick<Line, 'points' | 'curve'> {
  const bend = Math.max(14, Math.min(90, (to[1] - mid[1]) / 2));
  return {
    points: mid[1] > from[1] ? [from, mid, to] : [from, to],
    curve: [
      [mid[0], mid[1] + bend],
      [to[0], to[1] - bend],
    ],
  };
}

/** A line to a pod that has others above it: down beside them, and in from the right. */
function around(from: Point, mid: Point, to: Box): Pick<Line, 'points' | 'curve'> {
  const end: Point = [to.x + to.w, to.y + to.h / 2];
  const bend = Math.max(30, (end[1] - mid[1]) / 2);
  return {
    points: mid[1] > from[1] ? [from, mid, end] : [from, end],
    curve: [
      [mid[0], mid[1] + bend],
      [end[0] + 34, end[1] - 16],
    ],
  };
}

function endpointBox(endpoint: Endpoint, nodes: Host[], byId: Map<string, Box>) {
  if (endpoint.pod) return byId.get(endpoint.pod);
  const node = nodes.find((host) => host.ip === endpoint.ip);
  return node && byId.get(node.id);
}

function serviceLines(
  services: Service[],
  nodes: Host[],
  byId: Map<string, Box>,
  railBottom: number,
): Line[] {
  const out: Line[] = [];
  for (const service of services) {
    const from = byId.get(service.id);
    if (!from) continue;
    const seen = new Set<string>();
    const start = below(from);
    const bend: Point = [start[0], Math.max(start[1], railBottom)];
    for (const endpoint of service.endpoints) {
      const to = endpointBox(endpoint, nodes, byId);
      if (!to || seen.has(to.id)) continue;
      seen.add(to.id);
      out.push({
        kind: endpoint.ready ? 'service' : 'unready',
        from: service.id,
        to: to.id,
        ...(to.row ? around(start, bend, to) : fall(start, bend, above(to))),
        count: `${service.id}>${endpoint.pod ?? ''}`,
      });
    }
  }
  return out;
}

function ingressLines(ingresses: Ingress[], byId: Map<string, Box>): Line[] {
  const out: Line[] = [];
  for (const ingress of ingresses) {
    const from = byId.get(ingress.id);
    if (!from) continue;
    for (const service of new Set(ingress.routes.map((route) => route.service))) {
      const to = byId.get(`service/${ingress.ns}/${service}`);
      if (!to) continue;
      out.push({
        kind: 'ingress',
        from: ingress.id,
        to: to.id,
        ...fall(below(from), below(from), above(to)),
      });
    }
  }
  return out;
}

/** From one pod to all others, and from them to it, as the policies have it. */
function reachLines(reach: Reach | null | undefined, byId: Map<string, Box>): Line[] {
  const pod = reach && byId.get(reach.pod);
  if (!reach || !pod) return [];
  const out: Line[] = [];
  // Where no policy has a say everybody reaches everybody: there is nothing to show.
  const isolates = (box: Box, way: 'in' | 'out') => box.isolated === way || box.isolated === 'both';
  const judged = (from: Box, to: Box) => isolates(from, 'out') || isolates(to, 'in');
  for (const [id, verdict] of Object.entries(reach.to)) {
    const other = byId.get(id);
    if (other && judged(pod, other)) out.push(reachLine(pod, other, verdict.allowed, 1));
  }
  for (const [id, verdict] of Object.entries(reach.from)) {
    const other = byId.get(id);
    if (other && judged(other, pod)) out.push(reachLine(other, pod, verdict.allowed, -1));
  }
  return out;
}

/** Bent to one side, so that the way there and the way back lie apart. */
function reachLine(from: Box, to: Box, allowed: boolean, side: 1 | -1): Line {
  const [a, b] = sides(from, to);
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  if (dx === 0) {
    // One above the other: around their right side, each way on a track of its own.
    const out = 22 + Math.abs(dy) / 10 + side * 7;
    return {
      kind: allowed ? 'allowed' : 'denied',
      from: from.id,
      to: to.id,
      points: [a, b],
      curve: [
        [a[0] + out, a[1]],
        [b[0] + out, b[1]],
      ],
    };
  }
  const length = Math.hypot(dx, dy) || 1;
  const bend = side * Math.sign(dx || dy) * Math.min(48, 10 + length / 10);
  const at = (part: number): Point => [
    a[0] + dx * part + (dy / length) * bend,
    a[1] + dy * part - (dx / length) * bend,
  ];
  return {
    kind: allowed ? 'allowed' : 'denied',
    from: from.id,
    to: to.id,
    points: [a, b],
    curve: [at(0.3), at(0.7)],
  };
}

/** Where a line between two boxes leaves one and reaches the other. */
function sides(from: Box, to: Box): [Point, Point] {
  const y = (box: Box) => box.y + box.h / 2;
  if (to.x > from.x + from.w) return [[from.x + from.w, y(from)], [to.x, y(to)]];
  if (to.x + to.w < from.x) return [[from.x, y(from)], [to.x + to.w, y(to)]];
  return [[from.x + from.w, y(from)], [to.x + to.w, y(to)]];
}

/** Where a dropped packet would have gone: for the seconds after it was. */
export function dropLine(from: Box, to: Box): Line {
  return { ...reachLine(from, to, false, 1), kind: 'drop' };
}
