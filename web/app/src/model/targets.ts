import type { Counts, Endpoint, Service } from './things';

/** Why nobody counts a Service's connections; '' where kernels do: where an element of a map leads
 * from its address to each endpoint. */
export function uncounted(service: Service): string {
  if (service.ip === 'None') return 'clients go to these addresses themselves';
  return service.affinity ? 'session affinity is made of rules, and only map elements count' : '';
}

export interface Target extends Endpoint {
  /** Connections that were led there; null: not counted, or not told apart from others. */
  count: number | null;
}

export const keyOf = ({ ip, pod }: Endpoint) => `${ip} ${pod ?? ''}`;

/** Each pod or address that a Service leads to once, though several slices may name it. */
export function targetsOf(service: Service, counts: Counts): Target[] {
  const byKey = new Map<string, Endpoint>();
  for (const endpoint of service.endpoints) {
    const key = keyOf(endpoint);
    const before = byKey.get(key);
    byKey.set(key, before ? { ...before, ready: before.ready || endpoint.ready } : endpoint);
  }
  const endpoints = [...byKey.values()];
  if (uncounted(service)) return endpoints.map((endpoint) => ({ ...endpoint, count: null }));
  // Endpoints that are no pods are counted under the name of their slice, all of it together.
  const counted = counts[service.id] ?? {};
  const pods = new Set(endpoints.map(({ pod }) => pod));
  const rest = Object.entries(counted).reduce((sum, [id, count]) => sum + (pods.has(id) ? 0 : count), 0);
  const others = endpoints.filter(({ pod }) => !pod).length;
  const countOf = ({ pod }: Endpoint) => (pod ? (counted[pod] ?? 0) : others === 1 ? rest : null);
  return endpoints.map((endpoint) => ({ ...endpoint, count: countOf(endpoint) }));
}

/** What is said where a Service leads nowhere. */
export function whyNowhere(service: Service): string {
  if (service.externalName) return `None: DNS answers with the name ${service.externalName} instead.`;
  const what = service.ip === 'None' ? 'its name has no address in DNS' : 'connections are refused at once';
  return service.selector
    ? `None: ${what}. Does the selector match the labels of a pod?`
    : `None: ${what}. Without a selector somebody else has to write its EndpointSlices.`;
}
