import type { Scene } from './scene';
import type { View } from './draw';

const kSmallest = 0.08;
const kLargest = 3;
const kEdge = 16;

interface Area {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** A view that shows the whole scene, at its own size at most a bit more. */
export function fit(scene: Scene, w: number, h: number): View {
  const scale = Math.min(
    1.5,
    Math.max(kSmallest, (w - 2 * kEdge) / (scene.width || 1)),
    Math.max(kSmallest, (h - 2 * kEdge) / (scene.height || 1)),
  );
  return {
    scale,
    x: (w - scene.width * scale) / 2,
    y: Math.max(kEdge, (h - scene.height * scale) / 2),
    w,
    h,
  };
}

/** From here on the names of things can be read. */
const kReadable = 0.5;

/** The whole scene again after its or the view's size has changed, but not at the price of names that
 * could be read before: then the map stays as it is, with the chosen box in sight. */
export function settle(view: View, scene: Scene, box?: Area): View {
  const whole = fit(scene, view.w, view.h);
  const readable = whole.scale >= kReadable || view.scale < kReadable || !box;
  return readable ? whole : reveal(view, box);
}

/** Nearer or farther, with the point at (x, y) of the screen staying where it is. */
export function zoom(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(kLargest, Math.max(kSmallest, view.scale * factor));
  const by = scale / view.scale;
  return { ...view, scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** Moved just as far as it takes to see a box. */
export function reveal(view: View, box: Area): View {
  const at = (value: number, offset: number) => value * view.scale + offset;
  const shift = (from: number, to: number, size: number) =>
    from < kEdge ? kEdge - from : to > size - kEdge ? size - kEdge - to : 0;
  const dx = shift(at(box.x, view.x), at(box.x + box.w, view.x), view.w);
  const dy = shift(at(box.y, view.y), at(box.y + box.h, view.y), view.h);
  return dx === 0 && dy === 0 ? view : { ...view, x: view.x + dx, y: view.y + dy };
}
