import type { Endpoint, Host, Ingress, Service, Thing } from '../model/things';
import { deviceWires, hasDevices } from './devices';
import { kBand, kNode, kPod, kRail } from './metrics';
import type { Box, Line } from './scene';
import type { Sorted } from './sorted';

// The lines of a scene, between boxes that have their places.

type Point = readonly [number, number];

/** What policies say of one port of a pod: its first one for TCP, or 80 if it has none. */
export interface Verdict {
  allowed: boolean;
  port: number;
  why?: string;
}
export const portOf = ({ port }: { port: number }) => `TCP port ${port}`;

/** Whom a pod may reach by the policies, and who may reach it: /kin/v1/reach. */
export interface Reach {
  pod: string;
  to: Record<string, Verdict>;
  from: Record<string, Verdict>;
}

/** Without the pods that do not run: nobody connects from or to these. */
export function amongRunning(reach: Reach, things: ReadonlyMap<string, Thing>): Reach {
  const running = (verdicts: Record<string, Verdict>) =>
    Object.fromEntries(
      Object.entries(verdicts).filter(([id]) => {
        const pod = things.get(id);
        return pod?.kind === 'pod' && pod.phase === 'Running';
      }),
    );
  return { ...reach, to: running(reach.to), from: running(reach.from) };
}

const below = (box: Box): Point => [box.x + box.w / 2, box.y + box.h];
const above = (box: Box): Point => [box.x + box.w / 2, box.y];

/** Veths from pods to their node's rail, cables from nodes to the fabric and on. */
export function wires(all: Sorted, byId: Map<string, Box>, columns: number): Line[] {
  const fabric = byId.get('fabric')!;
  return [
    ...all.nodes.flatMap((node) => {
      const box = byId.get(node.id)!;
      return hasDevices(node) ? deviceWires(box, byId, columns) : nodeWires(box, fabric, columns);
    }),
    ...all.pods.flatMap((pod) => podWire(byId.get(pod.id), byId.get(`host/${pod.node}`))),
    ...outsideWires(all.outside, byId, fabric),
  ];
}

function nodeWires(node: Box, fabric: Box, columns: number): Line[] {
  const rail = node.rail!;
  const left = node.x - kNode.gapX / 2 + 8;
  const right = node.x + kNode.pad + kPod.bus / 2 - 4 + (columns - 1) * (kPod.w + kPod.bus);
  return [
    {
      kind: 'wire',
      from: node.id,
      to: 'fabric',
      points: [
        [right, rail],
        [left, rail],
        [left, fabric.y],
      ],
    },
  ];
}

/** None for a pod that has no network yet, or no more: one that has ended has given it back. */
function podWire(pod: Box | undefined, node: Box | undefined): Line[] {
  if (!pod?.link || !node) return [];
  const bus = pod.x - kPod.bus / 2;
  const y = pod.y + pod.h / 2;
  return [
    {
      kind: 'wire',
      from: pod.id,
      to: node.id,
      points: [
        [pod.x, y],
        [bus, y],
        [bus, node.rail!],
      ],
    },
  ];
}

function outsideWires(hosts: Host[], byId: Map<string, Box>, fabric: Box): Line[] {
  const out: Line[] = [];
  let before: Box | undefined;
  for (const host of hosts) {
    const box = byId.get(host.id)!;
    const y = box.y + box.h / 2;
    if (host.role === 'router') {
      const foot: Point = [box.x + box.w / 2, fabric.y + fabric.h];
      out.push({ kind: 'wire', from: host.id, to: 'fabric', points: [above(box), foot] });
    } else if (before) {
      const points: Point[] = [
        [before.x + before.w, y],
        [box.x, y],
      ];
      out.push({ kind: 'wire', from: hosts[0]!.id, to: host.id, points });
    }
    before = box;
  }
  return out;
}

/** From a box of a rail down to the rail's foot: beside the boxes of the rows below it. */
function descent(from: Box, foot: number): Point[] {
  const start = below(from);
  if (start[1] + kRail.gapY >= foot) return start[1] < foot ? [start, [start[0], foot]] : [start];
  const turn = start[1] + 6;
  return [start, [start[0], turn], [from.lane!, turn], [from.lane!, foot]];
}

/** A line that goes on from a path's end, which is above it, and arrives from above. */
function fall(path: Point[], to: Point): Pick<Line, 'points' | 'curve'> {
  const from = path.at(-1)!;
  const bend = Math.max(14, Math.min(90, (to[1] - from[1]) / 2));
  return {
    points: [...path, to],
    curve: [
      [from[0], from[1] + bend],
      [to[0], to[1] - bend],
    ],
  };
}

/** A line to a pod that has others above it: across above the nodes, down beside them, and in from
 * the right. */
function around(path: Point[], to: Box): Pick<Line, 'points' | 'curve'> {
  const from = path.at(-1)!;
  const end: Point = [to.x + to.w, to.y + to.h / 2];
  return {
    points: [...path, end],
    curve: [
      [from[0], from[1] + kBand],
      [end[0] + 44, from[1] + kBand / 2],
    ],
  };
}

/** A line to a box of a rail that has others above it: down beside those, and in from above. */
function between(path: Point[], to: Box): Pick<Line, 'points'> {
  const from = path.at(-1)!;
  const end = above(to);
  const top = to.y - to.row! * (kRail.h + kRail.gapY) - kRail.gapY / 2;
  const turn = to.y - 5;
  return { points: [...path, [from[0], top], [to.lane!, top], [to.lane!, turn], [end[0], turn], end] };
}

function endpointBox(endpoint: Endpoint, nodes: Host[], byId: Map<string, Box>) {
  if (endpoint.pod) return byId.get(endpoint.pod);
  const node = nodes.find((host) => host.ip === endpoint.ip);
  return node && byId.get(node.id);
}

export function serviceLines(
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
    const path = descent(from, railBottom);
    for (const endpoint of service.endpoints) {
      const to = endpointBox(endpoint, nodes, byId);
      if (!to || seen.has(to.id)) continue;
      seen.add(to.id);
      out.push({
        kind: endpoint.ready ? 'service' : 'unready',
        from: service.id,
        to: to.id,
        ...(to.row ? around(path, to) : fall(path, above(to))),
        ...(endpoint.pod ? { count: `${service.id}>${endpoint.pod}` } : {}),
      });
    }
  }
  return out;
}

export function ingressLines(ingresses: Ingress[], byId: Map<string, Box>, railBottom: number): Line[] {
  const out: Line[] = [];
  for (const ingress of ingresses) {
    const from = byId.get(ingress.id);
    if (!from) continue;
    const path = descent(from, railBottom);
    for (const service of new Set(ingress.routes.map((route) => route.service))) {
      const to = byId.get(`service/${ingress.ns}/${service}`);
      if (!to) continue;
      out.push({
        kind: 'ingress',
        from: ingress.id,
        to: to.id,
        ...(to.row ? between(path, to) : fall(path, above(to))),
      });
    }
  }
  return out;
}

/** From one pod to all others, and from them to it, as the policies have it. */
export function reachLines(reach: Reach | null | undefined, byId: Map<string, Box>): Line[] {
  const pod = reach && byId.get(reach.pod);
  if (!reach || !pod) return [];
  const out: Line[] = [];
  // Where no policy has a say everybody reaches everybody: there is nothing to show.
  const isolates = (box: Box, way: 'in' | 'out') => box.isolated === way || box.isolated === 'both';
  const judged = (from: Box, to: Box) => isolates(from, 'out') || isolates(to, 'in');
  for (const [id, verdict] of Object.entries(reach.to)) {
    const other = byId.get(id);
    if (other && judged(pod, other)) out.push(reachLine(pod, other, verdict, 1));
  }
  for (const [id, verdict] of Object.entries(reach.from)) {
    const other = byId.get(id);
    if (other && judged(other, pod)) out.push(reachLine(other, pod, verdict, -1));
  }
  return out;
}

/** Bent to one side, so that the way there and the way back lie apart. */
function reachLine(from: Box, to: Box, verdict: Verdict, side: 1 | -1): Line {
  const [a, b] = sides(from, to);
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const line = {
    kind: verdict.allowed ? ('allowed' as const) : ('denied' as const),
    from: from.id,
    to: to.id,
    points: [a, b],
    label: `:${verdict.port}`,
  };
  if (dx === 0) {
    // One above the other: around their right side, each way on a track of its own.
    const out = 22 + Math.abs(dy) / 10 + side * 7;
    return {
      ...line,
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
  return { ...line, curve: [at(0.3), at(0.7)] };
}

/** Where a line between two boxes leaves one and reaches the other. */
function sides(from: Box, to: Box): [Point, Point] {
  const y = (box: Box) => box.y + box.h / 2;
  if (to.x > from.x + from.w) return [[from.x + from.w, y(from)], [to.x, y(to)]];
  if (to.x + to.w < from.x) return [[from.x, y(from)], [to.x + to.w, y(to)]];
  return [[from.x + from.w, y(from)], [to.x + to.w, y(to)]];
}

/** A packet that was dropped, by the ids of the things between which it was. */
export interface DropAt {
  from: string;
  to: string;
  port: number;
}

/** Where dropped packets would have gone, for the seconds after they were: by where things stand now,
 * and only between things that are shown. */
export function dropLines(drops: readonly DropAt[], byId: Map<string, Box>): Line[] {
  const out: Line[] = [];
  for (const { from, to, port } of drops) {
    const [a, b] = [byId.get(from), byId.get(to)];
    if (a && b) out.push({ ...reachLine(a, b, { allowed: false, port }, 1), kind: 'drop' });
  }
  return out;
}
