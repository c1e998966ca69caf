/** So many bytes may wait; xterm throws at 50 MB, and all that waits delays the answer to Ctrl-C. */
const kMost = 4 << 20;

/**
 * What a shell has written and xterm has not shown yet. A WebSocket cannot be told to wait, and
 * `yes`, or anything behind a browser's tab that is not in sight, writes faster than is shown: what
 * is too much is left out, with a word in its place. The shell itself goes on.
 */
export class Backlog {
  private waiting = 0;
  private leftOut = 0;

  constructor(private readonly write: (data: Uint8Array | string, shown: () => void) => void) {}

  take(bytes: Uint8Array) {
    if (this.leftOut > 0 || this.waiting + bytes.length > kMost) {
      this.leftOut += bytes.length;
      return;
    }
    this.waiting += bytes.length;
    this.write(bytes, () => {
      this.waiting -= bytes.length;
      if (this.leftOut > 0 && this.waiting <= kMost / 2) this.goOn();
    });
  }

  private goOn() {
    const megabytes = (this.leftOut / (1 << 20)).toFixed(1);
    this.leftOut = 0;
    this.write(`\x1b[0m\r\n[${megabytes} MB left out: they came faster than they can be shown]\r\n`, () => {});
  }
}
