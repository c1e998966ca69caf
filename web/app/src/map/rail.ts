import type { Thing } from '../model/things';
import { kMargin, kRail } from './metrics';
import type { Box, Caption } from './scene';

/** Boxes in rows as wide as the nodes below them. Every other row is shifted by half a box, so that
 * lines from and to the rows behind it fall through its gaps. */
export class Rail {
  readonly captions: Caption[] = [];
  constructor(
    private readonly width: number,
    private readonly add: (box: Box) => void,
  ) {}

  /** Returns where the next row begins. */
  lay(
    caption: string,
    places: readonly (string | null)[],
    byId: Map<string, Thing>,
    y: number,
    box: (thing: never) => Pick<Box, 'id' | 'kind' | 'title' | 'sub' | 'detail'>,
  ): number {
    if (places.length === 0) return y;
    const step = kRail.w + kRail.gapX;
    const shift = places.length * step > this.width + kRail.gapX ? step / 2 : 0;
    const inRow = Math.max(1, Math.floor((this.width + kRail.gapX - shift) / step));
    if (places.some((id) => id !== null && byId.has(id)))
      this.captions.push({ x: kMargin, y: y + 9, text: caption });
    y += kRail.caption;
    places.forEach((id, place) => {
      const thing = id === null ? undefined : byId.get(id);
      if (!thing) return;
      const row = Math.floor(place / inRow);
      this.add({
        ...box(thing as never),
        x: kMargin + (place % inRow) * step + (row % 2) * shift,
        y: y + row * (kRail.h + kRail.gapY),
        w: kRail.w,
        h: kRail.h,
      });
    });
    return y + Math.ceil(places.length / inRow) * (kRail.h + kRail.gapY) + kRail.gapY;
  }
}
