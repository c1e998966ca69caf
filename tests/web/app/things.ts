import type { Host, Ingress, Pod, Policy, Service, Thing } from '../../../web/app/src/model/things';

/** Things as the lab tells of them, with little to be said in each test. */
export const node = (name: string, number: number): Host => ({
  id: `host/${name}`,
  kind: 'host',
  ns: '',
  name,
  role: 'node',
  ip: `172.30.0.${number + 1}`,
  pods: `10.244.${number}.0/24`,
  gateway: `10.244.${number}.1`,
  cni: 'ptp',
  overlay: 'none',
  ready: true,
  ...(number === 1 ? { control: true } : {}),
});

export const outside: Host[] = [
  { id: 'host/router', kind: 'host', ns: '', name: 'router', role: 'router', ip: '172.30.0.1', ready: true },
  { id: 'host/client', kind: 'host', ns: '', name: 'client', role: 'outside', ip: '203.0.113.10', ready: true },
];

export const pod = (key: string, on: string, more: Partial<Pod> = {}): Pod => {
  const [ns, name] = key.split('/') as [string, string];
  return {
    id: `pod/${key}`,
    kind: 'pod',
    ns,
    name,
    node: on,
    ip: '10.244.1.9',
    link: 'veth0123abcd',
    phase: 'Running',
    status: 'Running',
    ready: true,
    labels: {},
    containers: [{ name: 'c', image: 'nginx' }],
    ...more,
  };
};

export const service = (key: string, pods: string[], more: Partial<Service> = {}): Service => {
  const [ns, name] = key.split('/') as [string, string];
  return {
    id: `service/${key}`,
    kind: 'service',
    ns,
    name,
    type: 'ClusterIP',
    ip: '10.96.0.20',
    ports: [{ port: 80, protocol: 'TCP', target: '80' }],
    endpoints: pods.map((pod) => ({ ip: '10.244.1.9', ready: true, pod: `pod/${pod}` })),
    ...more,
  };
};

export const ingress = (key: string, to: string): Ingress => {
  const [ns, name] = key.split('/') as [string, string];
  return {
    id: `ingress/${key}`,
    kind: 'ingress',
    ns,
    name,
    class: 'nginx',
    routes: [{ host: 'shop.example.com', path: '/', service: to, port: '80' }],
    tls: false,
  };
};

export const policy = (key: string, pods: string[], more: Partial<Policy> = {}): Policy => {
  const [ns, name] = key.split('/') as [string, string];
  return {
    id: `policy/${key}`,
    kind: 'policy',
    ns,
    name,
    ingress: true,
    egress: false,
    selector: '',
    pods: pods.map((pod) => `pod/${pod}`),
    ...more,
  };
};

/** A small shop on three nodes. */
export const shop: Thing[] = [
  node('node-1', 1),
  node('node-2', 2),
  node('node-3', 3),
  ...outside,
  pod('kube-system/coredns-a', 'node-2', { ip: '10.244.2.2' }),
  pod('kube-system/kube-proxy-x', 'node-1', { hostNetwork: true, ip: '172.30.0.2' }),
  pod('shop/web-0', 'node-1', { ip: '10.244.1.3' }),
  pod('shop/web-1', 'node-2', { ip: '10.244.2.3', ready: false, status: 'Running' }),
  pod('shop/db-0', 'node-3', { ip: '10.244.3.3' }),
  pod('shop/broken', 'node-3', { ip: '', link: '', phase: 'Pending', ready: false, status: 'ImagePullBackOff' }),
  service('shop/web', ['shop/web-0', 'shop/web-1']),
  service('shop/db', ['shop/db-0'], { ip: '10.96.0.21', ports: [{ port: 5432, protocol: 'TCP', target: '5432' }] }),
  service('kube-system/kube-dns', ['kube-system/coredns-a'], { ip: '10.96.0.10' }),
  ingress('shop/shop', 'web'),
  policy('shop/db', ['shop/db-0']),
];

/** The same in a lab whose network was chosen otherwise: kin up --cni, --overlay. */
export const joined = (things: Thing[], cni: string, overlay: string): Thing[] =>
  things.map((thing) =>
    thing.kind === 'host' && thing.role === 'node' ? { ...thing, cni, overlay } : thing,
  );

/** So many pods spread over so many nodes, with Services of 16 endpoints. */
export function many(pods: number, nodes: number, services: number): Thing[] {
  const out: Thing[] = [...outside];
  for (let i = 1; i <= nodes; i++) out.push(node(`node-${i}`, i));
  const names: string[] = [];
  for (let i = 0; i < pods; i++) {
    names.push(`load/app-${i % 25}-${String(i).padStart(4, '0')}`);
    out.push(pod(names[i]!, `node-${(i % nodes) + 1}`, { ip: `10.244.${(i % nodes) + 1}.${i % 250}` }));
  }
  for (let i = 0; i < services; i++)
    out.push(service(`load/svc-${i}`, names.filter((_, at) => at % services === i).slice(0, 16)));
  return out;
}
