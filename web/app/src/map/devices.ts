import { bridgeOf, tunnelOf } from '../model/ways';
import type { Host } from '../model/things';
import { kDevice, kNode, kPod } from './metrics';
import type { Box, Line } from './scene';

// A node's own links, where the lab's network has more of them than eth0 and veths:
//
//     veth    veth
//      |       |
//     [cni0 10.244.1.1/24         ]      --cni bridge; without it veths end at the node's routes
//        |              |
//     [eth0] ------ [vxlan.1 10.244.1.0]  - - to the tunnel: --overlay vxlan
//        |
//      fabric

/** Has it links that are worth a row of their own? */
export const hasDevices = (node: Host) => bridgeOf(node) !== null || tunnelOf(node) !== null;

const idOf = (node: { id: string }, role: 'bridge' | 'eth0' | 'tunnel') => `${node.id} ${role}`;

export function deviceBoxes(host: Host, node: Box): Box[] {
  const [bridge, tunnel] = [bridgeOf(host), tunnelOf(host)];
  if (!bridge && !tunnel) return [];
  const left = node.x + kNode.pad;
  const right = node.x + node.w - kNode.pad;
  const row = node.y + node.h - kNode.pad - kNode.chip - kNode.devices + 8;
  const device = (role: 'bridge' | 'eth0' | 'tunnel', name: string, address: string) => ({
    id: idOf(node, role),
    kind: 'device' as const,
    of: node.id,
    h: kDevice.h,
    title: name,
    sub: address,
  });
  const out: Box[] = [];
  if (bridge) {
    const place = { x: left, y: node.rail!, w: right - left };
    out.push({ ...device('bridge', bridge.name, bridge.address), ...place, detail: 'bridge' });
  }
  out.push({ ...device('eth0', 'eth0', ''), x: left, y: row, w: kDevice.eth0 });
  if (tunnel) {
    const place = { x: right - kDevice.tunnel, y: row, w: kDevice.tunnel };
    out.push({ ...device('tunnel', tunnel.name, tunnel.address), ...place });
  }
  return out;
}

const wire = (node: Box, to: string, points: Line['points']): Line => ({
  kind: 'wire',
  from: node.id,
  to,
  points,
});
const foot = (box: Box) => box.x + box.w / 2;
const middle = (box: Box) => box.y + box.h / 2;

/** From where the veths end through the node's links to the fabric. */
export function deviceWires(node: Box, byId: Map<string, Box>, columns: number): Line[] {
  const [bridge, eth0, tunnel] = (['bridge', 'eth0', 'tunnel'] as const).map((role) =>
    byId.get(idOf(node, role)),
  ) as [Box | undefined, Box, Box | undefined];
  const rail = bridge ? bridge.y + bridge.h : node.rail!;
  const down = (to: Box) => wire(node, node.id, [[foot(to), rail], [foot(to), to.y]]);
  const left = node.x - kNode.gapX / 2 + 8;
  const y = middle(eth0);
  return [
    ...(bridge ? [] : [railWire(node, columns, foot(tunnel ?? eth0))]),
    down(eth0),
    wire(node, 'fabric', [[eth0.x, y], [left, y], [left, byId.get('fabric')!.y]]),
    ...(tunnel ? [down(tunnel), ...tunnelWires(node, eth0, tunnel, byId.get('tunnel')!)] : []),
  ];
}

/** What stands for the node's routes: from the first veth to the last one and to `end`. */
function railWire(node: Box, columns: number, end: number): Line {
  const first = node.x + kNode.pad + kPod.bus / 2 - 4;
  const last = first + (columns - 1) * (kPod.w + kPod.bus);
  return wire(node, node.id, [[first, node.rail!], [Math.max(last, end), node.rail!]]);
}

/** What goes into the tunnel leaves through eth0, and is thought of as going straight. */
function tunnelWires(node: Box, eth0: Box, tunnel: Box, far: Box): Line[] {
  const x = node.x + node.w + kNode.gapX / 2 - 14;
  const y = middle(tunnel);
  return [
    wire(node, node.id, [[tunnel.x, y], [eth0.x + eth0.w, y]]),
    // From below, so that the dashes of nodes above each other fall together.
    { ...wire(node, far.id, [[x, far.y], [x, y], [tunnel.x + tunnel.w, y]]), kind: 'tunnel' },
  ];
}
