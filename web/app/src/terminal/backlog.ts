/** So many bytes may wait: what all of them take to be shown, the answer to Ctrl-C is late. */
const kMost = 512 << 10;
/** So many xterm has at a time: a frame or two of its work. */
const kAtWork = 128 << 10;

/**
 * What a shell has written and xterm has not shown yet. A WebSocket cannot be told to wait, and
 * `yes`, or anything behind a browser's tab that is not in sight, writes faster than is shown: of
 * what is too much the newest stays, because a prompt is at the end; the place of the rest says how
 * much it was. The shell itself goes on.
 */
export class Backlog {
  private readonly waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private atWork = 0;
  private leftOut = 0;

  constructor(private readonly write: (data: Uint8Array | string, shown: () => void) => void) {}

  take(bytes: Uint8Array) {
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    while (this.waitingBytes > kMost && this.waiting.length > 1) this.leftOut += this.next().length;
    this.goOn();
  }

  private goOn() {
    while (this.atWork < kAtWork && this.waiting.length > 0) {
      if (this.leftOut > 0) this.tellLeftOut();
      const bytes = this.next();
      this.atWork += bytes.length;
      this.write(bytes, () => {
        this.atWork -= bytes.length;
        this.goOn();
      });
    }
  }

  private next(): Uint8Array {
    const bytes = this.waiting.shift()!;
    this.waitingBytes -= bytes.length;
    return bytes;
  }

  private tellLeftOut() {
    const megabytes = (this.leftOut / (1 << 20)).toFixed(1);
    this.leftOut = 0;
    this.write(`\x1b[0m\r\n[${megabytes} MB left out: they came faster than they can be shown]\r\n`, () => {});
  }
}
