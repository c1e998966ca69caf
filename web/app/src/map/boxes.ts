import { stateOf } from '../model/things';
import type { Host, Ingress, Pod, Policy, Service } from '../model/things';
import type { Box } from './scene';

// What stands in a box, whatever its place.

export function ingressBox(ingress: Ingress) {
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

export function serviceBox(service: Service) {
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

export function nodeBox(node: Host, x: number, y: number, size: { w: number; h: number }, rail: number): Box {
  return {
    id: node.id,
    kind: 'node',
    x,
    y,
    ...size,
    rail,
    title: node.name,
    sub: `${node.ip}, pods ${node.pods || '?'}`,
    detail: [node.control && 'control-plane', node.cordoned && 'cordoned'].filter(Boolean).join(', '),
    state: node.ready ? 'ready' : 'failing',
  };
}

export function podBox(pod: Pod, policies?: Box['isolated']): Box {
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
  if (pod.link) box.link = pod.link;
  if (policies) box.isolated = policies;
  return box;
}

/** In which directions policies isolate each pod. */
export function isolated(policies: Policy[]): Map<string, Box['isolated']> {
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
