import type { Thing } from '../model/things';
import { kMargin, kRail } from './metrics';
import type { Box, Caption } from './scene';

/** Boxes in rows as wide as the nodes below them. Between columns is room for lines from and to the
 * rows that have others below or above them, a lane for each row. */
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
    const inRow = Math.max(1, Math.floor((this.width + kRail.gapX) / step));
    const rows = Math.ceil(places.length / inRow);
    this.captions.push({ x: kMargin, y: y + 9, text: caption });
    y += kRail.caption;
    places.forEach((id, place) => {
      const thing = id === null ? undefined : byId.get(id);
      if (!thing) return;
      const row = Math.floor(place / inRow);
      const x = kMargin + (place % inRow) * step;
      this.add({
        ...box(thing as never),
        x,
        y: y + row * (kRail.h + kRail.gapY),
        w: kRail.w,
        h: kRail.h,
        row,
        lane: x + kRail.w + (kRail.gapX * (row + 1)) / (rows + 1),
      });
    });
    return y + rows * (kRail.h + kRail.gapY) + kRail.gapY;
  }
}
