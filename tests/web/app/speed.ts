// A page of its own for tests/e2e/page/speed.mjs: the map with many pods, panned and zoomed, and
// how long its script took for each frame.
import { layout } from '../../../web/app/src/map/layout';
import { kOverlays } from '../../../web/app/src/map/scene';
import { Stage } from '../../../web/app/src/map/stage';
import { light } from '../../../web/app/src/map/theme';
import { many } from './things';

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** Milliseconds of script, frame by frame. */
async function measure(pods: number, frames: number, scale: number | null): Promise<number[]> {
  const canvas = document.querySelector('canvas')!;
  const stage = new Stage(canvas);
  stage.set({
    scene: layout(many(pods, 20, 60), { ns: null }).scene,
    theme: light,
    overlays: new Set(kOverlays),
  });
  stage.resize(1600, 900);
  stage.fit();
  if (scale !== null) stage.zoom(scale / stage.view.scale);
  stage.frames.length = 0;
  for (let i = 0; i < frames; i++) {
    stage.pan(i % 40 < 20 ? 9 : -9, i % 30 < 15 ? 5 : -5);
    await nextFrame();
  }
  return [...stage.frames];
}

Object.assign(window, { measure });
