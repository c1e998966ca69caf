import type { Host } from './things';

// What a node holds for the way its pods hang on it (kin up --cni) and the way packets of pods get
// to other nodes (--overlay): netns/network has the kernel's side of the same. A way that is not
// known here goes by its name.

/** A link that the kernel of a node has, as `ip address` there calls it. */
export interface Device {
  name: string;
  address: string;
}

/** The bridge whose ports are the node's ends of its pods' veths. */
export function bridgeOf(node: Host): Device | null {
  if (node.cni !== 'bridge') return null;
  const bits = node.pods?.split('/')[1];
  return { name: 'cni0', address: node.gateway ? `${node.gateway}/${bits}` : '' };
}

/** Its end of the tunnel between nodes. */
export function tunnelOf(node: Host): Device | null {
  if (node.overlay !== 'vxlan') return null;
  return { name: kTunnel.name, address: node.pods?.split('/')[0] ?? '' };
}

export const kTunnel = {
  name: 'vxlan.1',
  facts: 'VNI 1, UDP 4789, MTU 1450',
};

const kCnis: Record<string, string> = {
  ptp: 'ptp (a routed veth each)',
  bridge: 'bridge (cni0, isolated ports)',
};
const kOverlays: Record<string, string> = {
  none: 'plain routes',
  vxlan: `VXLAN (${kTunnel.name}, ${kTunnel.facts})`,
};
export const cniWords = ({ cni }: Host) => (cni ? (kCnis[cni] ?? cni) : '');
export const overlayWords = ({ overlay }: Host) => (overlay ? (kOverlays[overlay] ?? overlay) : '');
