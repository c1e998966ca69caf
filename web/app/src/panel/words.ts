import type { Pod, Thing } from '../model/things';
import { world } from '../model/live';

const labWords = () => world.lab?.words ?? '';

/** " -n shop" where kubectl would look elsewhere. */
export const inNamespace = (ns: string) => (ns && ns !== 'default' ? ` -n ${ns}` : '');
/** "kubectl get pod web -n shop", with kin's own word for it so that it works as it stands. */
export const kubectl = (thing: Thing, words: string) =>
  `kin kubectl${labWords()} ${words}${inNamespace(thing.ns)}`;
export const inHost = (host: string, command: string) =>
  `kin exec${labWords()} ${host} -- ${command}`;
export const inPod = (pod: Pod, command: string) =>
  kubectl(pod, `exec ${pod.name}`) + ` -- ${command}`;
export const kinRules = (name: string, ns: string, node: string) =>
  `kin rules${labWords()} svc/${name}${inNamespace(ns)} --node ${node}`;

const kPlurals = {
  pod: '/api/v1/namespaces/{ns}/pods/',
  service: '/api/v1/namespaces/{ns}/services/',
  ingress: '/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses/',
  policy: '/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies/',
  host: '/api/v1/nodes/',
} as const;
const kKinds = {
  pod: 'Pod',
  service: 'Service',
  ingress: 'Ingress',
  policy: 'NetworkPolicy',
  host: 'Node',
} as const;

export const kindOf = (thing: Thing) => kKinds[thing.kind];
/** Where the API has the object. */
export const pathOf = (thing: Thing) =>
  kPlurals[thing.kind].replace('{ns}', encodeURIComponent(thing.ns)) +
  encodeURIComponent(thing.name);
/** What a title bar says before the name. */
export function nounOf(thing: Thing): string {
  if (thing.kind !== 'host') return kindOf(thing);
  return thing.role === 'node' ? 'Node' : thing.role === 'router' ? 'Router' : 'Outside host';
}
/** As kubectl's column AGE: "12s", "5m", "3h", "2d". */
export function age(time: string | null | undefined, now = Date.now()): string {
  const then = time ? Date.parse(time) : NaN;
  if (Number.isNaN(then)) return '';
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
