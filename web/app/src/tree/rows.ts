import { byPlace, stateOf } from '../model/things';
import type { Host, Pod, Thing } from '../model/things';
import { targetsOf } from '../model/targets';
import { bridgeOf, tunnelOf } from '../model/ways';
import { portOf, type Reach } from '../map/lines';
import type { World } from '../model/world';

/** One line of the tree. */
export interface Row {
  id: string;
  level: number;
  title: string;
  /** In words what the line shows, for those who hear it. */
  spoken: string;
  note: string;
  state?: ReturnType<typeof stateOf>;
  /** What policies forbid between it and the selected pod. */
  cut?: string;
  children: number;
  /** Its children are shown: not folded, or searched through. */
  open: boolean;
  parent: string | null;
}

const kNouns = { ingress: 'Ingress', service: 'Service', policy: 'NetworkPolicy' } as const;
const groups = [
  { id: 'group/ingress', title: 'Ingress', kind: 'ingress' },
  { id: 'group/service', title: 'Services', kind: 'service' },
  { id: 'group/policy', title: 'Network policies', kind: 'policy' },
] as const;

/** The lab as a tree: lab, groups and nodes, what belongs to them. `collapsed` hides children,
 * `words` all that does not contain them. */
export function rowsOf(
  world: World,
  options: {
    ns: string | null;
    words: string;
    collapsed: ReadonlySet<string>;
    reach?: Reach | null;
  },
): Row[] {
  const words = options.words.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (thing: Thing) => {
    const ip = 'ip' in thing ? thing.ip : '';
    const text = [thing.kind, thing.ns, thing.name, ip, ...labelsOf(thing)].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const wanted = (thing: Thing) =>
    (options.ns === null || thing.ns === '' || thing.ns === options.ns) && matches(thing);

  const rows: Row[] = [];
  const open = (id: string) => words.length > 0 || !options.collapsed.has(id);
  const branch = (head: Omit<Row, 'children' | 'open'>, leaves: Row[]) => {
    const row = { ...head, children: leaves.length, open: open(head.id) };
    rows.push(row);
    if (row.open) rows.push(...leaves);
  };
  for (const { id, title, kind } of groups) {
    const list = world.of(kind).filter(wanted).sort(byPlace);
    if (list.length === 0) continue;
    const head = { id, level: 1, title, spoken: title, note: String(list.length), parent: null };
    branch(
      head,
      list.map((thing) => {
        const row = leaf(thing, kNouns[kind], noteOf(thing), id);
        return { ...row, spoken: row.spoken + leadsTo(thing) };
      }),
    );
  }
  const pods = new Map<string, Pod[]>();
  for (const pod of world.of('pod')) {
    if (!wanted(pod)) continue;
    const list = pods.get(pod.node);
    if (list) list.push(pod);
    else pods.set(pod.node, [pod]);
  }
  const hosts = world.of('host').sort(byPlace);
  for (const host of hosts.filter((one) => one.role === 'node')) {
    const list = (pods.get(host.name) ?? []).sort(byPlace);
    if (words.length > 0 && list.length === 0 && !matches(host)) continue;
    const ready = host.ready ? '' : ', not ready';
    const row = leaf(host, 'node', host.ip + ready, null);
    branch(
      { ...row, spoken: row.spoken + linksOf(host), level: 1 },
      list.map((pod) => podRow(pod, host.id, options.reach)),
    );
  }
  const waiting = (pods.get('') ?? []).sort(byPlace);
  if (waiting.length > 0) {
    const id = 'group/waiting';
    const title = 'On no node yet';
    branch(
      { id, level: 1, title, spoken: title, note: String(waiting.length), parent: null },
      waiting.map((pod) => podRow(pod, id)),
    );
  }
  for (const host of hosts.filter((one) => one.role !== 'node' && matches(one)))
    rows.push({ ...leaf(host, host.role === 'router' ? '' : 'outside host', host.ip, null), level: 1 });
  return rows;
}

/** "app=web": a pod's labels, and those by which a Service or a policy chooses pods. */
function labelsOf(thing: Thing): string[] {
  if (thing.kind === 'policy') return [thing.selector];
  const labels = thing.kind === 'pod' ? thing.labels : thing.kind === 'service' ? thing.selector : undefined;
  return Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);
}

function leaf(thing: Thing, noun: string, note: string, parent: string | null): Row {
  const name = thing.ns ? `${thing.ns}/${thing.name}` : thing.name;
  return {
    id: thing.id,
    level: 2,
    title: thing.name,
    spoken: `${noun} ${name}, ${note}`.trim(),
    note,
    children: 0,
    open: false,
    parent,
  };
}

function podRow(pod: Pod, parent: string, reach?: Reach | null): Row {
  const ready = pod.ready ? ', ready' : '';
  const row: Row = {
    ...leaf(pod, 'pod', pod.ready ? pod.ip : pod.status, parent),
    spoken: `pod ${pod.ns}/${pod.name}, ${pod.status}${ready}, ${pod.ip || 'no address'}`,
    state: stateOf(pod),
  };
  const cut = reach ? cutBetween(pod, reach) : '';
  return cut ? { ...row, cut, spoken: `${row.spoken}, ${cut}` } : row;
}

/** In words what the map shows as lines that are cut, each at the one port that was judged. */
function cutBetween(pod: Pod, reach: Reach): string {
  const name = reach.pod.split('/').at(-1);
  const [there, back] = [reach.to[pod.id], reach.from[pod.id]];
  return [
    there && !there.allowed && `${name} may not reach it at ${portOf(there)}`,
    back && !back.allowed && `may not reach ${name} at ${portOf(back)}`,
  ].filter(Boolean).join(', ');
}

/** In words what the map shows of a node's own links. */
function linksOf(host: Host): string {
  const [bridge, tunnel] = [bridgeOf(host), tunnelOf(host)];
  return [
    bridge && `, pods on bridge ${bridge.name} ${bridge.address}`,
    tunnel && `, tunnel ${tunnel.name} to the other nodes`,
  ].filter(Boolean).join('');
}

/** In words what the map shows as the lines of a Service. */
function leadsTo(thing: Thing): string {
  if (thing.kind !== 'service') return '';
  if (thing.externalName) return `, leads to ${thing.externalName}`;
  const ready = targetsOf(thing, {}).filter((endpoint) => endpoint.ready);
  if (ready.length === 0) return ', leads nowhere';
  const names = ready.slice(0, 5).map(({ pod, ip }) => pod?.split('/').at(-1) ?? ip);
  const more = ready.length > 5 ? ` and ${ready.length - 5} more` : '';
  return `, leads to ${names.join(', ')}${more}`;
}

function noteOf(thing: Thing): string {
  if (thing.kind === 'service') return thing.ip === 'None' ? 'headless' : thing.ip || thing.type;
  if (thing.kind === 'ingress') return thing.routes[0]?.host ?? '';
  if (thing.kind === 'policy') return `${thing.pods.length} ${thing.pods.length === 1 ? 'pod' : 'pods'}`;
  return '';
}
