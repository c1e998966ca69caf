import type { Line } from './scene';
import { barbs, lettersIn, shorten } from './painter';
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

const number = (value: number) => String(Math.round(value * 10) / 10);
const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const attributes = (all: Record<string, string | number | undefined>) =>
  Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? number(value) : value}"`)
    .join('');

/** The same picture as an SVG document: to be kept, and to be compared in tests. */
export class SvgPainter implements Painter {
  private readonly out: string[] = [];

  rects(list: readonly Rect[], style: RectStyle) {
    this.group(
      list.map(
        ({ x, y, w, h }) => `<rect${attributes({ x, y, width: w, height: h, rx: style.radius })}/>`,
      ),
      {
        fill: style.fill ?? 'none',
        stroke: style.stroke,
        'stroke-width': style.stroke ? (style.width ?? 1) : undefined,
        'stroke-dasharray': style.dash?.join(' '),
        opacity: style.opacity,
      },
    );
  }

  lines(list: readonly Line[], style: LineStyle) {
    const path = (line: Line) => {
      const points = line.points.map(([x, y]) => `${number(x)} ${number(y)}`);
      const curve = line.curve?.map(([x, y]) => `${number(x)} ${number(y)}`);
      const way = curve
        ? `M${points.slice(0, -1).join('L')}C${curve.join(' ')} ${points.at(-1)}`
        : `M${points.join('L')}`;
      const head = style.arrow
        ? barbs(line, style.arrow)
            .map(([x, y]) => `M${points.at(-1)}L${number(x)} ${number(y)}`)
            .join('')
        : '';
      return `<path d="${way}${head}"/>`;
    };
    this.group(list.map(path), {
      fill: 'none',
      stroke: style.stroke,
      'stroke-width': style.width,
      'stroke-dasharray': style.dash?.join(' '),
      opacity: style.opacity,
    });
  }

  texts(list: readonly Text[], style: TextStyle) {
    this.group(
      list.map(({ x, y, text, width, align }) => {
        const anchor = align === 'right' ? 'end' : align === 'center' ? 'middle' : undefined;
        const shown = width ? shorten(text, lettersIn(width, style)) : text;
        return `<text${attributes({ x, y, 'text-anchor': anchor })}>${escape(shown)}</text>`;
      }),
      {
        fill: style.fill,
        'font-size': style.size,
        'font-weight': style.bold ? 600 : undefined,
        'font-family': style.mono ? 'monospace' : 'sans-serif',
        opacity: style.opacity,
      },
    );
  }

  marks(mark: Mark, list: readonly Place[], s: number, colour: string) {
    const shape = ({ x, y }: Place) => {
      const d = (...points: [number, number][]) =>
        points.map(([dx, dy]) => `${number(x + dx)} ${number(y + dy)}`).join('L');
      switch (mark) {
        case 'dot':
          return `<circle${attributes({ cx: x, cy: y, r: s, fill: colour, stroke: 'none' })}/>`;
        case 'ring':
          return `<circle${attributes({ cx: x, cy: y, r: s })}/>`;
        case 'cross':
          return `<path d="M${d([-s, -s], [s, s])}M${d([s, -s], [-s, s])}"/>`;
        case 'bar':
          return `<path d="M${d([-s, 0], [s, 0])}"/>`;
        case 'check':
          return `<path d="M${d([-s, 0], [-s / 4, s * 0.8], [s, -s * 0.8])}"/>`;
        case 'lock':
          return (
            `<rect${attributes({ x: x - s, y: y - s * 0.2, width: 2 * s, height: s * 1.4 })}/>` +
            `<path d="M${d([-s * 0.6, -s * 0.2], [-s * 0.6, -s], [s * 0.6, -s], [s * 0.6, -s * 0.2])}"/>`
          );
      }
    };
    this.group(list.map(shape), { fill: 'none', stroke: colour, 'stroke-width': s / 2.2 });
  }

  private group(items: string[], style: Record<string, string | number | undefined>) {
    if (items.length > 0) this.out.push(`<g${attributes(style)}>`, ...items, '</g>');
  }

  document(width: number, height: number, ground: string): string {
    const box = `0 0 ${number(width)} ${number(height)}`;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}">`,
      `<rect width="100%" height="100%" fill="${ground}"/>`,
      ...this.out,
      '</svg>\n',
    ].join('\n');
  }
}
