export interface Point {
  x: number;
  y: number;
}

/** What the main button of a pointer does to the map: pressed and moved it drags, else it clicks. */
export class Drag {
  private from: (Point & { moved: boolean }) | null = null;

  down(at: Point, button: number) {
    if (button === 0) this.from = { ...at, moved: false };
  }

  /** How far the map goes with it; null if nothing is held. `buttons` are those that are down now: a
   * button that was let go where nobody saw it holds nothing any more. */
  move(at: Point, buttons: number): Point | null {
    if ((buttons & 1) === 0) this.from = null;
    if (!this.from) return null;
    const by = { x: at.x - this.from.x, y: at.y - this.from.y };
    if (!this.from.moved && Math.hypot(by.x, by.y) < 4) return { x: 0, y: 0 };
    this.from = { ...at, moved: true };
    return by;
  }

  /** True if that was a click. */
  up(button: number): boolean {
    if (button !== 0) return false;
    const clicked = this.from !== null && !this.from.moved;
    this.from = null;
    return clicked;
  }

  cancel() {
    this.from = null;
  }
}
