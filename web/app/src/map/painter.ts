import type { Line } from './scene';

export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface RectStyle {
  fill?: string;
  stroke?: string;
  width?: number;
  radius?: number;
  dash?: readonly number[];
  opacity?: number;
}

export interface LineStyle {
  stroke: string;
  width: number;
  dash?: readonly number[];
  opacity?: number;
  /** A head at the end, so long. */
  arrow?: number;
}

export interface Text {
  x: number;
  y: number;
  text: string;
  /** Clipped to this width by whoever knows how wide letters are. */
  width?: number;
  align?: 'left' | 'right' | 'center';
}

export interface TextStyle {
  fill: string;
  size: number;
  bold?: boolean;
  mono?: boolean;
  opacity?: number;
  /** Behind the letters, where they stand on lines. */
  halo?: string;
}

/** Shapes that tell states apart without colour. */
export type Mark = 'dot' | 'ring' | 'cross' | 'bar' | 'check' | 'lock';
export interface Place {
  x: number;
  y: number;
}

/** Paints lists of things of one style, which is what keeps a canvas fast. */
export interface Painter {
  rects(list: readonly Rect[], style: RectStyle): void;
  lines(list: readonly Line[], style: LineStyle): void;
  texts(list: readonly Text[], style: TextStyle): void;
  marks(mark: Mark, list: readonly Place[], size: number, colour: string): void;
}

/** Names of pods differ at their end: "web-6f5d8…-x2x7q". */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  if (most < 4) return text.slice(0, most);
  const end = Math.min(6, Math.floor((most - 1) / 2));
  return `${text.slice(0, most - 1 - end)}…${text.slice(-end)}`;
}

/** So many letters of a size fit into a width: a rule of thumb for system fonts. */
export const lettersIn = (width: number, style: TextStyle) =>
  Math.floor(width / (style.size * (style.mono ? 0.61 : style.bold ? 0.66 : 0.58)));

/** A point on a line, and the direction there: 0 is the beginning, 1 the end. */
export function along(line: Line, part: number): { x: number; y: number; angle: number } {
  const last = line.points.at(-1)!;
  if (line.curve) {
    const first = line.points.at(-2)!;
    const [c1, c2] = line.curve;
    const u = 1 - part;
    const at = (i: 0 | 1) =>
      u * u * u * first[i] +
      3 * u * u * part * c1[i] +
      3 * u * part * part * c2[i] +
      part * part * part * last[i];
    const slope = (i: 0 | 1) =>
      3 * u * u * (c1[i] - first[i]) +
      6 * u * part * (c2[i] - c1[i]) +
      3 * part * part * (last[i] - c2[i]);
    return { x: at(0), y: at(1), angle: Math.atan2(slope(1), slope(0)) };
  }
  const first = line.points[0]!;
  const before = line.points.at(-2)!;
  return {
    x: first[0] + (last[0] - first[0]) * part,
    y: first[1] + (last[1] - first[1]) * part,
    angle: Math.atan2(last[1] - before[1], last[0] - before[0]),
  };
}

/** The two ends of an arrow's barbs at a line's end. */
export function barbs(line: Line, size: number): [number, number][] {
  const tip = along(line, 1);
  return [2.6, -2.6].map((turn) => [
    tip.x + size * Math.cos(tip.angle + turn),
    tip.y + size * Math.sin(tip.angle + turn),
  ]);
}
