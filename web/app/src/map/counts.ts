import type { Counts } from '../model/things';
import type { Painter, Rect, Text } from './painter';
import type { Box, Scene } from './scene';
import type { Theme } from './theme';

/** Smaller than this on the screen, digits cannot be read. */
const kReadable = 7.5;
const kSizes = { least: 12, most: 15 };

export interface CountState {
  selected: string | null;
  hovered: string | null;
  counts: Counts;
  fresh: (id: string) => number;
}

/** How many connections were led to each pod: on a plate at its upper right corner, in the gap above it,
 * where neither names nor other boxes are. All Services together, or the one that is looked at. */
export function drawCounts(
  scene: Scene,
  boxes: readonly Box[],
  scale: number,
  theme: Theme,
  state: CountState,
  painter: Painter,
) {
  const size = Math.max(kSizes.least, kReadable / scale);
  if (size > kSizes.most) return;
  const sums = sumsOf(scene, state);
  const still: { plates: Rect[]; texts: Text[] } = { plates: [], texts: [] };
  const hot: typeof still = { plates: [], texts: [] };
  for (const box of boxes) {
    const sum = sums.get(box.id);
    if (!sum) continue;
    const text = String(sum.count);
    const plate = plateOf(box, text, size);
    const list = sum.hot ? hot : still;
    list.plates.push(plate);
    list.texts.push({ x: plate.x + plate.w / 2, y: plate.y + plate.h - 4, text, align: 'center' });
  }
  const radius = size / 2;
  const style = { stroke: theme.service, width: 1.2, radius };
  painter.rects(still.plates, { ...style, fill: theme.serviceBox });
  painter.texts(still.texts, { fill: theme.service, size, bold: true });
  // What has just been counted stands out for a moment.
  painter.rects(hot.plates, { ...style, fill: theme.service });
  painter.texts(hot.texts, { fill: theme.node, size, bold: true });
}

function plateOf(box: Box, text: string, size: number): Rect {
  const [w, h] = [text.length * size * 0.62 + 12, size + 4];
  return { x: box.x + box.w - w - 6, y: box.y - h + 4, w, h };
}

/** By pods, and whether one of the counts has just gone up. */
function sumsOf(scene: Scene, { counts, selected, hovered, fresh }: CountState) {
  const focus = selected ?? hovered;
  const alone = scene.lines.some((line) => line.count && line.from === focus);
  const out = new Map<string, { count: number; hot: boolean }>();
  for (const line of scene.lines) {
    if (!line.count || (alone && line.from !== focus)) continue;
    const [service, endpoint] = line.count.split('>') as [string, string];
    const count = counts[service]?.[endpoint];
    if (!count) continue;
    const before = out.get(line.to);
    out.set(line.to, {
      count: count + (before?.count ?? 0),
      hot: fresh(line.count) > 0 || (before?.hot ?? false),
    });
  }
  return out;
}
