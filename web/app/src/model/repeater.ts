const kShare = 10;

/**
 * Asks the lab the same thing again whenever that may have changed: one question at a time, after a
 * moment in which changes gather, and so seldom that answering takes the lab a tenth of its time at
 * most. However fast changes come, answers keep coming too.
 */
export class Repeater {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private dirty = false;
  private ended = false;
  private took = 0;
  private readonly abort = new AbortController();

  constructor(
    private readonly shortest: number,
    /** Asks, and shows the answer; does not fail. */
    private readonly ask: (signal: AbortSignal) => Promise<void>,
  ) {
    void this.run();
  }

  again() {
    if (this.ended) return;
    if (this.running) this.dirty = true;
    else this.timer ??= setTimeout(() => void this.run(), Math.max(this.shortest, this.took * kShare));
  }

  /** What is still on its way is not shown any more. */
  end() {
    this.ended = true;
    clearTimeout(this.timer);
    this.abort.abort();
  }

  private async run() {
    this.timer = undefined;
    this.dirty = false;
    this.running = true;
    const begun = performance.now();
    await this.ask(this.abort.signal);
    this.took = performance.now() - begun;
    this.running = false;
    if (this.dirty) this.again();
  }
}
