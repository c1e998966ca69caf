// What a NetworkPolicy allows, in words, from the object as the API has it.

interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}
export interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: Requirement[];
}
export interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except?: string[] };
}
interface Port {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}
export interface PolicySpec {
  policyTypes?: string[];
  ingress?: { from?: Peer[]; ports?: Port[] }[];
  egress?: { to?: Peer[]; ports?: Port[] }[];
}

/** One rule: whom it allows, and at which ports. */
export interface RuleWords {
  peers: string[];
  ports: string;
}

/** What a policy says of one direction; null where it has no say: there everything stays allowed. An
 * empty list allows nobody. */
export function allowed(spec: PolicySpec, way: 'ingress' | 'egress', ns: string): RuleWords[] | null {
  const types = spec.policyTypes ?? ['Ingress', ...(spec.egress?.length ? ['Egress'] : [])];
  if (way === 'ingress') {
    if (!types.includes('Ingress')) return null;
    return (spec.ingress ?? []).map(({ from, ports }) => rule(from, ports, ns));
  }
  if (!types.includes('Egress')) return null;
  return (spec.egress ?? []).map(({ to, ports }) => rule(to, ports, ns));
}

// A list that is empty or not there means everything, other than an empty list of rules.
const rule = (peers: Peer[] = [], ports: Port[] = [], ns: string): RuleWords => ({
  peers: peers.length === 0 ? ['anybody, also outside of the cluster'] : peers.map((peer) => peerWords(peer, ns)),
  ports: ports.length === 0 ? 'every port' : ports.map(portWords).join(', '),
});

function peerWords({ podSelector, namespaceSelector, ipBlock }: Peer, ns: string): string {
  if (ipBlock) {
    const except = ipBlock.except?.length ? `, but not ${ipBlock.except.join(', ')}` : '';
    return `addresses in ${ipBlock.cidr}${except}`;
  }
  const pods = podSelector && selectorWords(podSelector);
  const who = pods ? `pods with ${pods}` : 'every pod';
  if (!namespaceSelector) return `${who} of ${ns}`;
  const where = selectorWords(namespaceSelector);
  return where ? `${who} of namespaces with ${where}` : `${who} of every namespace`;
}

function portWords({ protocol = 'TCP', port, endPort }: Port): string {
  if (port === undefined) return `every port of ${protocol}`;
  return `${protocol} ${port}${endPort ? ` to ${endPort}` : ''}`;
}

/** "app=web, tier in (a, b)"; "" for one that selects everything. */
function selectorWords({ matchLabels = {}, matchExpressions = [] }: Selector): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const more = matchExpressions.map(({ key, operator, values = [] }) => {
    const list = values.join(', ');
    if (operator === 'In') return values.length === 1 ? `${key}=${list}` : `${key} in (${list})`;
    if (operator === 'NotIn') return values.length === 1 ? `${key}!=${list}` : `${key} not in (${list})`;
    return operator === 'Exists' ? `label ${key}` : `no label ${key}`;
  });
  return [...labels, ...more].join(' and ');
}
