import { byPlace } from '../model/things';
import type { Host, Ingress, Pod, Policy, Service, Thing } from '../model/things';

/** Things by what the map makes of them, each list in the order in which they are placed. */
export interface Sorted {
  byId: Map<string, Thing>;
  nodes: Host[];
  outside: Host[];
  pods: Pod[];
  chips: Pod[];
  /** Pods that no node takes. Others without a node have one in a moment. */
  waiting: Pod[];
  services: Service[];
  ingresses: Ingress[];
  policies: Policy[];
}

/** Those of one namespace, and the hosts; null: all of them. */
export function sortOut(things: Iterable<Thing>, ns: string | null): Sorted {
  const out: Sorted = {
    byId: new Map(),
    nodes: [],
    outside: [],
    pods: [],
    chips: [],
    waiting: [],
    services: [],
    ingresses: [],
    policies: [],
  };
  for (const thing of things) {
    if (ns !== null && thing.ns !== '' && thing.ns !== ns) continue;
    out.byId.set(thing.id, thing);
    if (thing.kind === 'host') (thing.role === 'node' ? out.nodes : out.outside).push(thing);
    else if (thing.kind === 'pod')
      (thing.waits ? out.waiting : thing.hostNetwork ? out.chips : out.pods).push(thing);
    else if (thing.kind === 'service') out.services.push(thing);
    else if (thing.kind === 'ingress') out.ingresses.push(thing);
    else out.policies.push(thing);
  }
  out.nodes.sort(byPlace);
  const roles = ['router', 'outside'];
  out.outside.sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role) || byPlace(a, b));
  out.pods.sort(byPlace);
  out.chips.sort(byPlace);
  out.waiting.sort(byPlace);
  out.services.sort(byPlace);
  out.ingresses.sort(byPlace);
  return out;
}
