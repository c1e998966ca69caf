import { draw } from './draw';
import type { Shown } from './stage';
import { SvgPainter } from './svg_painter';

/** All of the map as an SVG document, as large as it is and as it looks now. */
export function pictureOf(shown: Shown): string {
  const { scene, theme } = shown;
  const painter = new SvgPainter();
  const view = { scale: 1, x: 0, y: 0, w: scene.width, h: scene.height };
  draw(scene, view, theme, { ...shown, hovered: null, drops: [], fresh: () => 0 }, painter);
  return painter.document(scene.width, scene.height, theme.ground);
}

/** Hands a text to the browser as a file to be kept. */
export function keep(name: string, type: string, text: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
