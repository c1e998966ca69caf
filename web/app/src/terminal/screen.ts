import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { withAdoptedStyles } from './adopted_style';
import { Backlog } from './backlog';
import { Exec, type Place } from './exec';

const dark = {
  background: '#0b0f14',
  foreground: '#eaf0f6',
  cursor: '#56b4e9',
  selectionBackground: '#2b4a63',
  black: '#3a4754',
  red: '#ff8a66',
  green: '#4cd0a0',
  yellow: '#f0c04a',
  blue: '#6bb8f0',
  magenta: '#d99bc4',
  cyan: '#66d0d8',
  white: '#d5dee7',
  brightBlack: '#8997a5',
};

/** One terminal: xterm, and the shell behind it. Loaded when the first is opened. */
export class TerminalScreen {
  private readonly terminal: Terminal;
  private readonly fitting = new FitAddon();
  private exec!: Exec;
  private ended = false;
  private typed = false;
  private readonly dropStyles: () => void;
  private readonly watch: ResizeObserver;

  /** `onEnd` hears of a shell that has ended, and whether somebody ended it; Enter begins another. */
  constructor(
    parent: HTMLElement,
    private readonly place: Place,
    private readonly onBegin: () => void,
    private readonly onEnd: (wanted: boolean) => void,
    onLeave: () => void,
  ) {
    this.terminal = new Terminal({
      fontSize: 14,
      fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
      theme: dark,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      scrollback: 5000,
      screenReaderMode: true,
    });
    this.terminal.loadAddon(this.fitting);
    this.dropStyles = withAdoptedStyles(() => this.terminal.open(parent));
    this.terminal.attachCustomKeyEventHandler((event) => {
      // Two of them: Windows keeps the one with Escape for its task manager.
      const leaves = event.ctrlKey && event.shiftKey && ['Escape', 'L', 'l'].includes(event.key);
      if (!leaves) return true;
      event.preventDefault();
      if (event.type === 'keydown') onLeave();
      return false;
    });
    this.terminal.onData((text) => {
      this.typed = true;
      if (!this.ended) this.exec.write(text);
      else if (text === '\r') this.begin();
    });
    this.terminal.onResize(({ cols, rows }) => this.exec?.resize(cols, rows));
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(parent);
    this.fit();
    this.begin();
  }

  private begin() {
    this.ended = this.typed = false;
    const backlog = new Backlog((data, shown) => this.terminal.write(data, shown));
    this.exec = new Exec(this.place, {
      onOutput: (bytes) => backlog.take(bytes),
      onEnd: ({ why, code }) => {
        this.ended = true;
        this.terminal.write(`\r\n\x1b[2m[${why || 'the shell has ended'}; Enter begins another]\x1b[0m\r\n`);
        // `exit` ends with the code of the last command; above 125 are those that a shell does not
        // begin with, or that a signal ends.
        this.onEnd(code === 0 || (this.typed && code !== undefined && code < 126));
      },
    });
    this.exec.resize(this.terminal.cols, this.terminal.rows);
    void this.exec.open();
    this.onBegin();
  }

  private fit() {
    // A hidden terminal has no size; it is fitted when it is shown again.
    const size = this.fitting.proposeDimensions();
    if (size && size.cols > 1 && size.rows > 1) this.fitting.fit();
  }
  focus() {
    this.terminal.focus();
  }
  dispose() {
    this.watch.disconnect();
    this.exec.close();
    this.terminal.dispose();
    this.dropStyles();
  }
}
