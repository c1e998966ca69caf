import { isSystem } from '../model/things';
import type { Host, Ingress, Pod, Service, Thing } from '../model/things';
import { kTunnel, tunnelOf } from '../model/ways';
import { ingressBox, isolated, nodeBox, podBox, serviceBox } from './boxes';
import { ingressLines, reachLines, serviceLines, wires, type Reach } from './lines';
import { deviceBoxes, hasDevices } from './devices';
import { columnsFor, kBand, kFabric, kMargin, kNarrowest, kNode, kOutside, kPod, kRail, kTray, kTunnelBar, nodeColumns } from './metrics';
import { Rail } from './rail';
import type { Box, Scene } from './scene';
import { assign, type Slots } from './slots';
import { sortOut, type Sorted } from './sorted';

export interface LayoutOptions {
  /** Only things of this namespace (and the hosts), as if there were no others; null: all. */
  ns: string | null;
  /** Lines from and to this pod, by what the policies say. */
  reach?: Reach | null;
}

/**
 * Where everything stands. Pure: the same things and places give the same scene, and things that
 * stay keep their places.
 *
 *     ingress  ingress                 who is let in from outside, and to which Service
 *     service  service  service        addresses that lead to pods
 *     +-node-1----+ +-node-2----+
 *     | pod  pod  | | pod       |      pods on their node, by owner and name
 *     | rail      | | rail      |      the node's routes or its bridge: where veths end
 *     +--eth0-----+ +--eth0-----+
 *     - - -  tunnel - - - - - - -      if packets of pods go through one
 *     ====== fabric =============      the bridge between nodes
 *          router -- outside hosts
 *     (  pod  pod  )                  pods that no node takes, if there are any
 */
export function layout(
  things: Iterable<Thing>,
  options: LayoutOptions,
  memory: Slots = new Map(),
): { scene: Scene; slots: Slots } {
  const plan = new Plan(sortOut(things, options.ns), options.ns !== null, memory);
  return { scene: plan.run(options.reach), slots: plan.slots };
}

type Places = (string | null)[];

function toldPlaces(things: (Pod | Service | Ingress)[]): Places {
  const out: Places = [];
  for (const { id, slot } of things) if (slot !== undefined) out[slot] = id;
  return Array.from(out, (id) => id ?? null);
}

/** One layout in the making, from the top down. */
class Plan {
  readonly slots = new Map<string, Places>();
  private readonly boxes: Box[] = [];
  private readonly byId = new Map<string, Box>();
  // The system's own pods stand below the others: they were there before anybody's.
  private readonly own: Places[];
  private readonly system: Places[];
  private readonly columns: number;
  private readonly ownRows: number;
  private readonly size: { w: number; h: number };
  /** From a node's top to where its pods' veths end. */
  private readonly rail: number;
  private readonly across: number;
  private readonly width: number;

  constructor(
    private readonly all: Sorted,
    private readonly alone: boolean,
    private readonly memory: Slots,
  ) {
    this.own = this.podPlaces('pods', false);
    this.system = this.podPlaces('system', true);
    const most = (places: Places[]) => Math.max(0, ...places.map((list) => list.length));
    this.columns = columnsFor(most(this.own) + most(this.system));
    this.ownRows = Math.max(2, Math.ceil(most(this.own) / this.columns));
    const rows = this.ownRows + Math.ceil(most(this.system) / this.columns);
    const foot = all.nodes.some(hasDevices) ? kNode.devices : 0;
    const h = kNode.head + rows * (kPod.h + kPod.gap) + kNode.rail + foot + kNode.chip + kNode.pad;
    this.size = { w: kNode.pad * 2 + this.columns * (kPod.w + kPod.bus) - 4, h };
    // A bar takes more room than a line.
    this.rail = h - kNode.rail - foot - kNode.chip + (foot ? -12 : 2);
    this.across = nodeColumns(all.nodes.length);
    this.width = Math.max(this.across * (this.size.w + kNode.gapX), kNarrowest);
  }

  run(reach: Reach | null | undefined): Scene {
    const { all, byId, boxes } = this;
    const rail = new Rail(this.width, (box) => this.add(box));
    let y = rail.lay('Ingress', this.keep('ingress', all.ingresses), all.byId, kMargin, ingressBox);
    const ingressBottom = y - 2 * kRail.gapY;
    y = rail.lay('Services', this.keep('service', all.services), all.byId, y, serviceBox);
    const railBottom = y - kRail.gapY;
    y = this.placeNodes(y > kMargin ? y + kBand : y);
    y = this.placeWaiting(this.placeOutside(this.placeTunnel(y)));
    const lines = [
      ...wires(all, byId, this.columns),
      ...serviceLines(all.services, all.nodes, byId, railBottom),
      ...ingressLines(all.ingresses, byId, ingressBottom),
      ...reachLines(reach, byId),
    ];
    const width = this.width + 2 * kMargin;
    return { captions: rail.captions, boxes, lines, byId, width, height: y };
  }

  private add(box: Box) {
    this.boxes.push(box);
    this.byId.set(box.id, box);
  }

  /** Where the lab says, or, in a map that is this page's alone, where each has stood before. */
  private keep(group: string, wished: (Pod | Service | Ingress)[]): Places {
    const told = this.alone ? [] : toldPlaces(wished);
    const places = assign(told.length > 0 ? told : this.memory.get(group), wished.map(({ id }) => id));
    this.slots.set(group, places);
    return places;
  }

  private podPlaces(group: string, system: boolean): Places[] {
    const byNode = new Map<string, Pod[]>();
    for (const pod of this.all.pods) {
      if (isSystem(pod.ns) !== system) continue;
      const list = byNode.get(pod.node);
      if (list) list.push(pod);
      else byNode.set(pod.node, [pod]);
    }
    return this.all.nodes.map(({ id, name }) => this.keep(`${id} ${group}`, byNode.get(name) ?? []));
  }

  private placeNodes(top: number): number {
    const policies = isolated(this.all.policies);
    const step = { x: this.size.w + kNode.gapX, y: this.size.h + kNode.gapY };
    this.all.nodes.forEach((node, index) => {
      const x = kMargin + kNode.gapX / 2 + (index % this.across) * step.x;
      const y = top + Math.floor(index / this.across) * step.y;
      const box = nodeBox(node, x, y, this.size, y + this.rail);
      this.add(box);
      deviceBoxes(node, box).forEach((device) => this.add(device));
      const place = (first: number) => (id: string | null, at: number) => {
        const pod = id === null ? undefined : (this.all.byId.get(id) as Pod | undefined);
        if (pod) this.placePod(pod, policies.get(pod.id), x, y, at % this.columns, first + Math.floor(at / this.columns));
      };
      this.own[index]!.forEach(place(0));
      this.system[index]!.forEach(place(this.ownRows));
      this.placeChips(node, x, y);
    });
    return top + Math.ceil(this.all.nodes.length / this.across) * step.y;
  }

  private placePod(pod: Pod, policies: Box['isolated'], x: number, y: number, column: number, row: number) {
    this.add({
      ...podBox(pod, policies),
      x: x + kNode.pad + kPod.bus - 4 + column * (kPod.w + kPod.bus),
      y: y + kNode.head + row * (kPod.h + kPod.gap),
      w: kPod.w,
      h: kPod.h,
      row,
    });
  }

  /** Pods in their node's own network, at its foot. */
  private placeChips(node: Host, x: number, y: number) {
    const chips = this.all.chips.filter((pod) => pod.node === node.name);
    const w = (this.size.w - kNode.pad * 2 - 8 * (chips.length - 1)) / chips.length;
    chips.forEach((pod, at) => {
      this.add({
        ...podBox(pod),
        kind: 'chip',
        x: x + kNode.pad + at * (w + 8),
        y: y + this.size.h - kNode.chip - 10,
        w,
        h: kNode.chip,
      });
    });
  }

  private placeTunnel(y: number): number {
    if (!this.all.nodes.some(tunnelOf)) return y;
    this.add({
      id: 'tunnel',
      kind: 'tunnel',
      x: kMargin,
      y,
      w: this.width,
      h: kTunnelBar.h,
      title: kTunnel.name,
      sub: `a tunnel between the nodes for packets to pods (${kTunnel.facts})`,
    });
    return y + kTunnelBar.h + kTunnelBar.gap;
  }

  private placeOutside(y: number): number {
    this.add({
      id: 'fabric',
      kind: 'fabric',
      x: kMargin,
      y,
      w: this.width,
      h: kFabric.h,
      title: 'fabric',
      sub: 'the bridge that joins the nodes and the router',
    });
    const top = y + kFabric.h + kFabric.gap;
    this.all.outside.forEach((host, index) =>
      this.add({
        id: host.id,
        kind: host.role === 'router' ? 'router' : 'outside',
        x: kMargin + index * (kOutside.w + kOutside.gap),
        y: top,
        w: kOutside.w,
        h: kOutside.h,
        title: host.name,
        sub: host.ip,
      }),
    );
    return top + kOutside.h + kMargin;
  }

  /** At the very end, so that nothing else moves when it comes or goes. */
  private placeWaiting(y: number): number {
    const places = this.keep('waiting', this.all.waiting);
    if (places.length === 0) return y;
    const step = { x: kPod.w + kPod.bus, y: kPod.h + kPod.gap };
    const across = Math.floor((this.width - 2 * kNode.pad + kPod.bus) / step.x);
    const h = kTray.head + Math.ceil(places.length / across) * step.y;
    this.add({ id: 'group/waiting', kind: 'tray', x: kMargin, y, w: this.width, h, title: 'On no node yet', sub: '' });
    places.forEach((id, at) => {
      if (id === null) return;
      const place = { x: kMargin + kNode.pad + (at % across) * step.x, y: y + kTray.head + Math.floor(at / across) * step.y };
      this.add({ ...podBox(this.all.byId.get(id) as Pod), ...place, w: kPod.w, h: kPod.h });
    });
    return y + h + kTray.gap;
  }
}
