/** What the lab's stream tells of: see web/topology.h, which makes them. */
export interface Host {
  id: string;
  kind: 'host';
  ns: '';
  name: string;
  role: 'node' | 'router' | 'outside';
  ip: string;
  pods?: string;
  /** What its pods send to in order to leave. */
  gateway?: string;
  /** How its pods hang on it, and how packets of pods get to other nodes: see ways.ts. */
  cni?: string;
  overlay?: string;
  ready: boolean;
  control?: boolean;
  cordoned?: boolean;
}

export interface Pod {
  id: string;
  kind: 'pod';
  /** Its place on the map, the same on every page. */
  slot?: number;
  ns: string;
  name: string;
  node: string;
  ip: string;
  /** Its node's end of its veth. */
  link?: string;
  phase: string;
  status: string;
  ready: boolean;
  labels: Record<string, string>;
  hostNetwork?: boolean;
  /** Why no node takes it, once that is tried. */
  waits?: string;
  restarts?: number;
  owner?: string;
  containers: { name: string; image: string }[];
}

export interface Endpoint {
  ip: string;
  ready: boolean;
  pod?: string;
  node?: string;
}

export interface ServicePort {
  port: number;
  protocol: string;
  target: string;
  name?: string;
  nodePort?: number;
}

export interface Service {
  id: string;
  kind: 'service';
  /** Its place on the map, the same on every page. */
  slot?: number;
  ns: string;
  name: string;
  type: string;
  ip: string;
  outside?: string[];
  externalName?: string;
  affinity?: number;
  selector?: Record<string, string>;
  ports: ServicePort[];
  endpoints: Endpoint[];
}

export interface Route {
  host: string;
  path: string;
  pathType?: string;
  service: string;
  port: string;
}

export interface Ingress {
  id: string;
  kind: 'ingress';
  /** Its place on the map, the same on every page. */
  slot?: number;
  ns: string;
  name: string;
  class: string;
  routes: Route[];
  tls: boolean;
}

export interface Policy {
  id: string;
  kind: 'policy';
  ns: string;
  name: string;
  ingress: boolean;
  egress: boolean;
  selector: string;
  pods: string[];
}

export type Thing = Host | Pod | Service | Ingress | Policy;
export type Kind = Thing['kind'];

/** A packet that a policy dropped. */
export interface Drop {
  number: number;
  time: string;
  node: string;
  direction: string;
  from: string;
  to: string;
  protocol: string;
  port: number;
  packets: number;
  why: string;
  text: string;
}

/** Connections by Service and endpoint, as the kernels have counted them. */
export type Counts = Record<string, Record<string, number>>;

export interface Lab {
  lab: string;
  version: string;
  words: string;
}

/** What every cluster has, and what people look past. */
export const isSystem = (ns: string) => ns.startsWith('kube-') || ns === 'ingress-nginx';

/** Names with numbers in them in the order people count: node-2 before node-10. */
const counted = (text: string) => text.replace(/\d+/g, (digits) => digits.padStart(9, '0'));

/** Where a thing stands among its like: the system's last, then by namespace, owner and name. Kept,
 * because a thousand things are sorted whenever one of them changes. */
const places = new WeakMap<Thing, string>();
function placeOf(thing: Thing): string {
  let place = places.get(thing);
  if (place === undefined) {
    const owner = thing.kind === 'pod' ? (thing.owner ?? '') : '';
    const system = isSystem(thing.ns) ? '1' : '0';
    place = [system, thing.ns, counted(owner), counted(thing.name)].join('\n');
    places.set(thing, place);
  }
  return place;
}
export function byPlace(a: Thing, b: Thing): number {
  const [x, y] = [placeOf(a), placeOf(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** How a pod is, as one of the shapes that the map draws. */
export type PodState = 'ready' | 'starting' | 'failing' | 'ending' | 'done';
export function stateOf(pod: Pod): PodState {
  if (pod.status === 'Terminating') return 'ending';
  if (pod.phase === 'Succeeded') return 'done';
  if (pod.phase === 'Failed' || /BackOff|Err|Invalid/.test(pod.status)) return 'failing';
  return pod.ready ? 'ready' : 'starting';
}
