import type { Line } from './scene';
import { barbs, shorten } from './painter';
import type {
  LineStyle,
  Mark,
  Painter,
  Place,
  Rect,
  RectStyle,
  Text,
  TextStyle,
} from './painter';

const kSans = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const kMono = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

/** How texts were shortened to their width, by font, width and text. */
const fitted = new Map<string, string>();
const kMostFitted = 8000;

/** Paints on a canvas whose transform is set: one path for each list. */
export class CanvasPainter implements Painter {
  constructor(private readonly ctx: CanvasRenderingContext2D) {}

  rects(list: readonly Rect[], style: RectStyle) {
    if (list.length === 0) return;
    const { ctx } = this;
    ctx.globalAlpha = style.opacity ?? 1;
    ctx.beginPath();
    for (const { x, y, w, h } of list)
      if (style.radius) ctx.roundRect(x, y, w, h, style.radius);
      else ctx.rect(x, y, w, h);
    if (style.fill) {
      ctx.fillStyle = style.fill;
      ctx.fill();
    }
    if (style.stroke) {
      ctx.strokeStyle = style.stroke;
      ctx.lineWidth = style.width ?? 1;
      ctx.setLineDash((style.dash as number[]) ?? []);
      ctx.stroke();
    }
  }

  lines(list: readonly Line[], style: LineStyle) {
    if (list.length === 0) return;
    const { ctx } = this;
    ctx.globalAlpha = style.opacity ?? 1;
    ctx.strokeStyle = style.stroke;
    ctx.lineWidth = style.width;
    ctx.setLineDash((style.dash as number[]) ?? []);
    ctx.beginPath();
    for (const line of list) this.trace(line);
    ctx.stroke();
    if (!style.arrow) return;
    ctx.setLineDash([]);
    ctx.beginPath();
    for (const line of list) {
      const tip = line.points.at(-1)!;
      for (const [x, y] of barbs(line, style.arrow)) {
        ctx.moveTo(tip[0], tip[1]);
        ctx.lineTo(x, y);
      }
    }
    ctx.stroke();
  }

  private trace({ points, curve }: Line) {
    const { ctx } = this;
    ctx.moveTo(points[0]![0], points[0]![1]);
    const straight = curve ? points.length - 1 : points.length;
    for (let i = 1; i < straight; i++) ctx.lineTo(points[i]![0], points[i]![1]);
    if (!curve) return;
    const [c1, c2] = curve;
    const to = points[straight]!;
    ctx.bezierCurveTo(c1[0], c1[1], c2[0], c2[1], to[0], to[1]);
  }

  texts(list: readonly Text[], style: TextStyle) {
    if (list.length === 0) return;
    const { ctx } = this;
    ctx.globalAlpha = style.opacity ?? 1;
    ctx.font = `${style.bold ? '600 ' : ''}${style.size}px ${style.mono ? kMono : kSans}`;
    ctx.fillStyle = style.fill;
    ctx.textBaseline = 'alphabetic';
    if (style.halo) {
      ctx.strokeStyle = style.halo;
      ctx.lineWidth = style.size / 3;
      ctx.lineJoin = 'round';
      ctx.setLineDash([]);
    }
    for (const { x, y, text, width, align } of list) {
      ctx.textAlign = align ?? 'left';
      const shown = width ? this.fit(text, width) : text;
      if (style.halo) ctx.strokeText(shown, x, y);
      ctx.fillText(shown, x, y);
    }
  }

  /** As much of a text as fits into a width, by the font that is set. */
  private fit(text: string, width: number): string {
    const { ctx } = this;
    const key = `${ctx.font} ${width} ${text}`;
    let shown = fitted.get(key);
    if (shown !== undefined) return shown;
    let most = text.length;
    shown = text;
    while (most > 1 && ctx.measureText(shown).width > width) shown = shorten(text, --most);
    if (fitted.size > kMostFitted) fitted.clear();
    fitted.set(key, shown);
    return shown;
  }

  marks(mark: Mark, list: readonly Place[], size: number, colour: string) {
    if (list.length === 0) return;
    const { ctx } = this;
    ctx.globalAlpha = 1;
    ctx.fillStyle = ctx.strokeStyle = colour;
    ctx.lineWidth = size / 2.2;
    ctx.setLineDash([]);
    ctx.beginPath();
    for (const { x, y } of list) traceMark(ctx, mark, x, y, size);
    if (mark === 'dot') ctx.fill();
    else ctx.stroke();
  }
}

function traceMark(ctx: CanvasRenderingContext2D, mark: Mark, x: number, y: number, s: number) {
  switch (mark) {
    case 'dot':
    case 'ring':
      ctx.moveTo(x + s, y);
      ctx.arc(x, y, s, 0, 2 * Math.PI);
      break;
    case 'cross':
      ctx.moveTo(x - s, y - s);
      ctx.lineTo(x + s, y + s);
      ctx.moveTo(x + s, y - s);
      ctx.lineTo(x - s, y + s);
      break;
    case 'bar':
      ctx.moveTo(x - s, y);
      ctx.lineTo(x + s, y);
      break;
    case 'check':
      ctx.moveTo(x - s, y);
      ctx.lineTo(x - s / 4, y + s * 0.8);
      ctx.lineTo(x + s, y - s * 0.8);
      break;
    case 'lock':
      ctx.rect(x - s, y - s * 0.2, 2 * s, s * 1.4);
      ctx.moveTo(x - s * 0.6, y - s * 0.2);
      ctx.arc(x, y - s * 0.4, s * 0.6, Math.PI, 0);
      ctx.lineTo(x + s * 0.6, y - s * 0.2);
  }
}
