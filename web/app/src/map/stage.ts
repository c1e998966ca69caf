import type { Counts } from '../model/things';
import { CanvasPainter } from './canvas_painter';
import { fit, reveal, settle, zoom } from './camera';
import { draw, hit, type View } from './draw';
import { dropLines, type DropAt } from './lines';
import { emptyScene, type Overlay, type Scene } from './scene';
import { light, type Theme } from './theme';

const kFreshFor = 1600;
const kDropFor = 8000;

/** What a stage shows; whoever changes a field asks for a frame. */
export interface Shown {
  scene: Scene;
  theme: Theme;
  overlays: ReadonlySet<Overlay>;
  selected: string | null;
  hovered: string | null;
  marked: readonly string[];
  counts: Counts;
  changed: ReadonlyMap<string, number>;
  counted: ReadonlyMap<string, number>;
}

/** The map's canvas: draws frames when something has changed, and only then. */
export class Stage {
  view: View = { scale: 1, x: 0, y: 0, w: 1, h: 1 };
  shown: Shown = {
    scene: emptyScene,
    theme: light,
    overlays: new Set(),
    selected: null,
    hovered: null,
    marked: [],
    counts: {},
    changed: new Map(),
    counted: new Map(),
  };
  /** Milliseconds of script that the last frames took, newest last: for those who measure. */
  readonly frames: number[] = [];
  onView: () => void = () => {};
  private readonly ctx: CanvasRenderingContext2D;
  private readonly still = matchMedia('(prefers-reduced-motion: reduce)');
  private drops: (DropAt & { at: number })[] = [];
  private asked = 0;
  private fitted = true;
  private seen = true;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.ctx = canvas.getContext('2d', { alpha: false })!;
  }

  set(part: Partial<Shown>) {
    const grown = part.scene && (part.scene.width !== this.shown.scene.width ||
      part.scene.height !== this.shown.scene.height);
    Object.assign(this.shown, part);
    // As long as nobody has moved the map, all of it stays in sight.
    if (grown && this.fitted) this.settle();
    this.ask();
  }

  addDrop(drop: DropAt, now: number) {
    // Here too: while nobody sees the map there are no frames.
    this.drops = this.drops.filter((one) => now - one.at < kDropFor);
    this.drops.push({ ...drop, at: now });
    this.ask();
  }

  resize(w: number, h: number) {
    // Hidden it has no size: it keeps the last one, and draws nothing until it is seen again.
    this.seen = w > 0 && h > 0;
    if (!this.seen) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(w * ratio));
    this.canvas.height = Math.max(1, Math.round(h * ratio));
    this.view = { ...this.view, w, h };
    if (this.fitted) this.settle();
    // In the same task: a canvas that was resized is empty until it is drawn.
    this.frame();
  }

  fit() {
    this.fitted = true;
    this.move(fit(this.shown.scene, this.view.w, this.view.h), true);
  }
  zoom(factor: number, x = this.view.w / 2, y = this.view.h / 2) {
    this.move(zoom(this.view, factor, x, y));
  }
  pan(dx: number, dy: number) {
    this.move({ ...this.view, x: this.view.x + dx, y: this.view.y + dy });
  }
  /** Brings a thing into sight; so many pixels below are hidden by something else. */
  reveal(id: string, hidden = 0) {
    const box = this.shown.scene.byId.get(id);
    if (!box) return;
    // As large as it is now: `resize` hears only later of a panel that has come beside it.
    const { w, h } = this.view;
    const free = {
      ...this.view,
      w: this.canvas.clientWidth || w,
      h: (this.canvas.clientHeight || h) - hidden,
    };
    const next = reveal(free, box);
    if (next !== free) this.move({ ...next, w, h }, this.fitted);
  }
  /** How much of the canvas lies behind something, from below. */
  behind(what: string): number {
    const over = document.querySelector(what)?.getBoundingClientRect();
    const own = this.canvas.getBoundingClientRect();
    if (!over || over.left >= own.right || over.top <= own.top) return 0;
    return Math.max(0, own.bottom - over.top);
  }
  private settle() {
    const box = this.shown.scene.byId.get(this.shown.selected ?? '');
    this.move(settle(this.view, this.shown.scene, box), true);
  }
  private move(view: View, fitted = false) {
    this.view = view;
    this.fitted = fitted;
    this.onView();
    this.ask();
  }

  /** The thing at a point of the canvas. */
  at(x: number, y: number): string | null {
    const { scale, x: left, y: top } = this.view;
    const box = hit(this.shown.scene, (x - left) / scale, (y - top) / scale);
    return box?.kind === 'tray' ? null : (box?.of ?? box?.id ?? null);
  }

  /** Where on the canvas the middle of a thing is. */
  place(id: string): [number, number] | null {
    const box = this.shown.scene.byId.get(id);
    if (!box) return null;
    const { scale, x, y } = this.view;
    const down = box.kind === 'node' ? 16 : box.h / 2;
    return [(box.x + box.w / 2) * scale + x, (box.y + down) * scale + y];
  }

  ask() {
    if (this.asked === 0) this.asked = requestAnimationFrame(() => this.frame());
  }

  private frame() {
    cancelAnimationFrame(this.asked);
    this.asked = 0;
    if (!this.seen) return;
    const begun = performance.now();
    const { ctx, view, shown } = this;
    this.drops = this.drops.filter((drop) => begun - drop.at < kDropFor);
    let moving = this.drops.length > 0;
    const fresh = (id: string) => {
      const at = shown.changed.get(id) ?? shown.counted.get(id);
      const left = at === undefined ? 0 : 1 - (begun - at) / kFreshFor;
      if (left <= 0) return 0;
      moving = true;
      return this.still.matches ? 1 : left;
    };
    const ratio = this.canvas.width / Math.max(1, view.w);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.globalAlpha = 1;
    ctx.fillStyle = shown.theme.ground;
    ctx.fillRect(0, 0, view.w, view.h);
    ctx.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
    const drops = dropLines(this.drops, shown.scene.byId);
    draw(shown.scene, view, shown.theme, { ...shown, drops, fresh }, new CanvasPainter(ctx));
    this.frames.push(performance.now() - begun);
    if (this.frames.length > 240) this.frames.shift();
    if (!moving) return;
    // What only fades or waits to go needs no 60 frames a second.
    setTimeout(() => this.ask(), this.still.matches ? 500 : 40);
  }
}
