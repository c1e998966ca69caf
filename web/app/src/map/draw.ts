import type { Counts } from '../model/things';
import type { Box, Line, LineKind, Overlay, Scene } from './scene';
import { drawCounts } from './counts';
import { kPod } from './metrics';
import { along } from './painter';
import type { Mark, Painter, Rect, Text, TextStyle } from './painter';
import type { Theme } from './theme';

/** The part of the map that is seen: what is drawn at x, y and scale. */
export interface View {
  scale: number;
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface DrawState {
  overlays: ReadonlySet<Overlay>;
  selected: string | null;
  hovered: string | null;
  /** What else belongs to the selected thing: the pods of a policy. */
  marked: readonly string[];
  counts: Counts;
  /** Extra lines of the last seconds: drops. */
  drops: readonly Line[];
  /** How new a thing or count is: 1 just now, 0 no more. */
  fresh: (id: string) => number;
}

/** Below this many pixels letters are noise. */
const kLegible = 7;
/** From here on pods are more than a coloured cell. */
const kFar = 0.34;
/** From here on there is room for more than a name. */
const kMiddle = 0.72;
const kNear = 1.25;
/** So many lines that forbid are a knot: then each is thin. */
const kCrowd = 8;

/** A tunnel is dashed: it is no wire, but leads through one. */
const kTunnelDash = [7, 4];

const overlayOf: Record<LineKind, Overlay> = {
  wire: 'wiring',
  tunnel: 'wiring',
  service: 'services',
  unready: 'services',
  ingress: 'ingress',
  allowed: 'policy',
  denied: 'policy',
  drop: 'policy',
};

/** Draws a scene, as much of it as the view shows and the scale makes legible. */
export function draw(scene: Scene, view: View, theme: Theme, state: DrawState, painter: Painter) {
  const shown = new Shown(view);
  const boxes = scene.boxes.filter((box) => shown.has(box));
  const of = (...kinds: Box['kind'][]) => boxes.filter((box) => kinds.includes(box.kind));
  const nodes = of('node');
  painter.rects(nodes, { fill: theme.node, stroke: theme.nodeEdge, width: 1.5, radius: 10 });
  drawLines(scene, view, shown, theme, state, painter);
  painter.rects(of('fabric'), { fill: theme.box, stroke: theme.edge, width: 1.2, radius: 6 });
  painter.rects(of('device'), { fill: theme.box, stroke: theme.edge, width: 1.2, radius: 4 });
  painter.rects(of('tunnel'), {
    fill: theme.ground,
    stroke: theme.muted,
    width: 1.5,
    radius: 6,
    dash: kTunnelDash,
  });
  painter.rects(of('tray'), { fill: theme.ground, stroke: theme.muted, width: 1.5, radius: 10, dash: [5, 4] });
  painter.rects(of('router', 'outside'), {
    fill: theme.node,
    stroke: theme.edge,
    width: 1.5,
    radius: 22,
  });
  painter.rects(of('service'), {
    fill: theme.serviceBox,
    stroke: theme.service,
    width: 1.5,
    radius: 8,
  });
  painter.rects(of('ingress'), {
    fill: theme.ingressBox,
    stroke: theme.ingress,
    width: 1.5,
    radius: 8,
  });
  drawPods(of('pod', 'chip'), view, theme, state, painter);
  if (view.scale > kMiddle)
    painter.texts(scene.captions, { fill: theme.muted, size: 12, bold: true });
  drawNames(boxes, view, theme, painter);
  if (state.overlays.has('services')) drawCounts(scene, boxes, view.scale, theme, state, painter);
  drawFresh(boxes, theme, state, painter);
  drawFocus(scene, view, theme, state, painter);
}

class Shown {
  private readonly left: number;
  private readonly top: number;
  private readonly right: number;
  private readonly bottom: number;
  constructor(view: View) {
    this.left = -view.x / view.scale;
    this.top = -view.y / view.scale;
    this.right = this.left + view.w / view.scale;
    this.bottom = this.top + view.h / view.scale;
  }
  has({ x, y, w, h }: Rect) {
    return x < this.right && x + w > this.left && y < this.bottom && y + h > this.top;
  }
  hasLine({ points }: Line) {
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [x, y] of points) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    return this.has({ x: left - 60, y: top - 60, w: right - left + 120, h: bottom - top + 120 });
  }
}

function drawLines(
  scene: Scene,
  view: View,
  shown: Shown,
  theme: Theme,
  state: DrawState,
  painter: Painter,
) {
  const focus = state.selected ?? state.hovered;
  const focused = focus !== null && scene.lines.some((l) => l.from === focus || l.to === focus);
  const near: Partial<Record<LineKind, Line[]>> = {};
  const dim: Partial<Record<LineKind, Line[]>> = {};
  for (const line of [...scene.lines, ...state.drops]) {
    if (!state.overlays.has(overlayOf[line.kind]) || !shown.hasLine(line)) continue;
    const related = !focused || line.from === focus || line.to === focus || line.kind === 'drop';
    ((related ? near : dim)[line.kind] ??= []).push(line);
  }
  // Lines keep their width on the screen when the map is small.
  const width = (base: number) => base / Math.max(0.45, Math.min(1, view.scale));
  const crowded = (near.denied?.length ?? 0) > kCrowd;
  const paint = (lists: typeof near, opacity: number) => {
    const lines = (kind: LineKind, style: Parameters<Painter['lines']>[1]) =>
      painter.lines(lists[kind] ?? [], { ...style, opacity: opacity * (style.opacity ?? 1) });
    lines('wire', { stroke: theme.wire, width: width(1.4) });
    lines('tunnel', { stroke: theme.muted, width: width(1.5), dash: kTunnelDash });
    lines('ingress', { stroke: theme.ingress, width: width(2), arrow: 9 });
    // Many together are a carpet: then each is faint, until something is selected.
    const many = focused ? 1 : Math.min(1, Math.max(0.16, 40 / (lists.service?.length ?? 1)));
    lines('service', { stroke: theme.service, width: width(1.8), arrow: 8, opacity: many });
    lines('unready', { stroke: theme.service, width: width(1.4), dash: [4, 5], opacity: 0.7 });
    lines('denied', { stroke: theme.denied, width: width(crowded ? 1.2 : 2), dash: [7, 5], arrow: 9 });
    // Above those that forbid: what is allowed is what one looks for.
    lines('allowed', { stroke: theme.allowed, width: width(1.8), arrow: 9 });
    lines('drop', { stroke: theme.denied, width: width(3), dash: [2, 4], arrow: 10 });
  };
  paint(dim, 0.18);
  paint(near, 1);
  const crossed = [...(near.denied ?? []), ...(near.drop ?? [])].map((line) => along(line, 0.5));
  painter.marks('cross', crossed, width(crowded ? 4 : 6), theme.denied);
  if (view.scale > kMiddle) drawLabels(near, scene.boxes.filter((box) => shown.has(box)), theme, painter);
}

/** Beside the middle of each line, and of its cross if it has one, unless a box will cover that. */
function drawLabels(lines: Partial<Record<LineKind, Line[]>>, boxes: Box[], theme: Theme, painter: Painter) {
  const covers = boxes.filter(({ kind }) => kind !== 'node');
  const free = ({ x, y }: { x: number; y: number }) =>
    !covers.some((box) => x + 32 > box.x && x < box.x + box.w && y > box.y && y - 9 < box.y + box.h);
  const write = (list: Line[] = [], fill: string) => {
    const texts = list.map((line) => {
      const middle = along(line, 0.5);
      return { x: middle.x + 9, y: middle.y - 8, text: line.label ?? '' };
    });
    painter.texts(texts.filter(free), { fill, size: 11, bold: true, halo: theme.node });
  };
  write(lines.allowed, theme.allowed);
  write([...(lines.denied ?? []), ...(lines.drop ?? [])], theme.denied);
}

const marks: Record<NonNullable<Box['state']>, Mark> = {
  ready: 'dot',
  starting: 'ring',
  failing: 'cross',
  ending: 'bar',
  done: 'check',
};

function drawPods(pods: Box[], view: View, theme: Theme, state: DrawState, painter: Painter) {
  const colours: Record<NonNullable<Box['state']>, string> = {
    ready: theme.ready,
    starting: theme.starting,
    failing: theme.failing,
    ending: theme.muted,
    done: theme.muted,
  };
  const policies = state.overlays.has('policy');
  const far = view.scale < kFar;
  for (const look of Object.keys(marks) as NonNullable<Box['state']>[]) {
    const list = pods.filter((box) => box.state === look);
    if (list.length === 0) continue;
    const colour = colours[look];
    if (far) {
      painter.rects(list, { fill: colour, radius: 6, opacity: look === 'ready' ? 0.75 : 1 });
      continue;
    }
    const dash = look === 'ending' || look === 'starting' ? [5, 4] : undefined;
    const isolated = (box: Box) => policies && box.isolated !== undefined;
    const style = { fill: theme.box, radius: 7, ...(dash ? { dash } : {}) };
    painter.rects(
      list.filter((box) => !isolated(box)),
      { ...style, stroke: theme.edge, width: 1.2 },
    );
    painter.rects(list.filter(isolated), { ...style, stroke: theme.denied, width: 2.2 });
    painter.marks(
      marks[look],
      list.map((box) => ({
        x: box.x + 13,
        y: box.y + (box.kind === 'chip' || view.scale < kMiddle ? box.h / 2 : 17),
      })),
      4.5,
      colour,
    );
  }
  if (policies && view.scale >= kMiddle) {
    painter.marks(
      'lock',
      pods.filter((box) => box.isolated).map((box) => ({ x: box.x + box.w - 13, y: box.y + 35 })),
      5,
      theme.denied,
    );
  }
}

function drawNames(boxes: Box[], view: View, theme: Theme, painter: Painter) {
  const legible = (size: number) => size * view.scale >= kLegible;
  const write = (
    kinds: Box['kind'][],
    style: TextStyle,
    place: (box: Box) => Omit<Text, 'text'>,
    words: (box: Box) => string,
  ) => {
    if (!legible(style.size)) return;
    const list: Text[] = [];
    for (const box of boxes)
      if (kinds.includes(box.kind)) list.push({ ...place(box), text: words(box) });
    painter.texts(list, style);
  };
  const title = { fill: theme.text, size: 13, bold: true };
  const small = { fill: theme.muted, size: 12, mono: true };
  const line = (dx: number, dy: number) => (box: Box) => ({
    x: box.x + dx,
    y: box.y + dy,
    width: box.w - dx - 8,
  });
  const rails: Box['kind'][] = ['service', 'ingress'];
  const hosts: Box['kind'][] = ['router', 'outside'];
  if (view.scale < kMiddle) {
    // From a distance a name, as large as there is room for.
    const size = Math.min(21, 9.5 / view.scale);
    const middle = (dx: number) => (box: Box) => line(dx, box.h / 2 + size * 0.36)(box);
    if (view.scale > kFar) write(['pod'], { ...title, size }, middle(25), (box) => box.title);
    write([...rails, ...hosts], { ...title, size }, middle(12), (box) => box.title);
  } else {
    write(['pod'], title, line(25, 21), (box) => box.title);
    write(['pod'], small, line(25, 38), (box) => box.sub);
    write(['chip'], { ...small, size: 11, mono: false }, line(24, 14), (box) => box.title);
    write(['device'], { ...small, size: 11 }, line(8, 14), (box) => `${box.title} ${box.sub}`.trim());
    write(
      ['device'],
      { ...small, size: 11, mono: false },
      (box) => ({ x: box.x + box.w - 8, y: box.y + 14, align: 'right' }),
      (box) => box.detail ?? '',
    );
    write(rails, { ...title, size: 14 }, line(12, 20), (box) => box.title);
    write(rails, small, line(12, 36), (box) => box.sub);
    write(rails, { ...small, size: 11, mono: false }, line(12, 51), (box) => box.detail ?? '');
    write(hosts, title, line(20, 19), (box) => box.title);
    write(hosts, small, line(20, 35), (box) => box.sub);
  }
  // From afar a node's name is what one looks for.
  const big = Math.min(34, Math.max(15, 12 / view.scale));
  write(['node', 'tray'], { ...title, size: big, halo: theme.node }, line(14, 12 + big * 0.8), (box) => box.title);
  if (big < 18) {
    const quiet = { ...small, size: 12, mono: false, halo: theme.node };
    write(
      ['node'],
      quiet,
      (box) => ({ x: box.x + box.w - 14, y: box.y + 23, align: 'right' }),
      (box) => box.detail ?? '',
    );
    write(['node'], quiet, line(14, 39), (box) => box.sub);
  }
  write(
    ['fabric', 'tunnel'],
    { ...small, mono: false },
    (box) => ({ x: box.x + 12, y: box.y + 16 }),
    (box) => `${box.title}: ${box.sub}`,
  );
  if (view.scale > kNear) {
    const tiny = { ...small, size: 9.5, mono: false };
    // To the left: a count of the pod below stands to the right.
    const under = (box: Box) => ({ x: box.x + 3, y: box.y + box.h + 10.5, width: kPod.w - 50 });
    write(['pod'], tiny, under, (box) =>
      [box.link && `eth0 ↔ ${box.link}`, box.detail].filter(Boolean).join(' · '),
    );
  }
}

/** What has just changed stands out for a moment. */
function drawFresh(boxes: Box[], theme: Theme, state: DrawState, painter: Painter) {
  for (const box of boxes) {
    const fresh = state.fresh(box.id);
    if (fresh <= 0 || box.kind === 'node') continue;
    const grown = { x: box.x - 4, y: box.y - 4, w: box.w + 8, h: box.h + 8 };
    painter.rects([grown], { stroke: theme.pulse, width: 3, radius: 10, opacity: fresh });
  }
}

function drawFocus(scene: Scene, view: View, theme: Theme, state: DrawState, painter: Painter) {
  const ring = (id: string | null, width: number, dash?: number[]) => {
    const box = id === null ? undefined : scene.byId.get(id);
    if (!box) return;
    const gap = 3 / Math.min(1, view.scale);
    painter.rects(
      [{ x: box.x - gap, y: box.y - gap, w: box.w + 2 * gap, h: box.h + 2 * gap }],
      {
        stroke: theme.focus,
        width: width / Math.min(1, view.scale),
        radius: box.kind === 'node' ? 12 : 9,
        ...(dash ? { dash } : {}),
      },
    );
  };
  for (const id of state.marked) ring(id, 2.5);
  if (state.hovered !== state.selected) ring(state.hovered, 1.5, [3, 3]);
  ring(state.selected, 3);
}

/** The smallest box there: a pod rather than its node. */
export function hit(scene: Scene, x: number, y: number): Box | null {
  let best: Box | null = null;
  for (const box of scene.boxes) {
    if (x < box.x || x > box.x + box.w || y < box.y || y > box.y + box.h) continue;
    if (!best || box.w * box.h < best.w * best.h) best = box;
  }
  return best;
}
