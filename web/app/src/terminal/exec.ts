import { openSocket } from '../api';
import type { Host, Pod } from '../model/things';

/** Channels of Kubernetes' exec over WebSocket: the first byte of every message. */
const kStdin = 0;
const kStdout = 1;
const kStderr = 2;
const kError = 3;
const kResize = 4;

/** bash where the image has the host's programs, busybox' own shell where it is busybox. */
const kShell =
  'export PS1="$(hostname):\\w# "; sh --help 2>&1 | grep -q BusyBox && exec sh; ' +
  'command -v bash >/dev/null && exec bash --norc; exec sh';

/** Why a command ended or did not begin; "" for a program that ended well. Its exit code, if it had one. */
export interface End {
  why: string;
  code?: number;
}

/** What a command tells, until close(). */
export interface Streams {
  onOutput: (bytes: Uint8Array) => void;
  /** Once. */
  onEnd: (end: End) => void;
}

export type Place = Pod | Host;

function pathOf(place: Place, command: string[], tty: boolean): string {
  const words = new URLSearchParams(command.map((word) => ['command', word]));
  for (const name of tty ? ['stdin', 'stdout', 'tty'] : ['stdout', 'stderr'])
    words.set(name, 'true');
  const base =
    place.kind === 'pod'
      ? `/api/v1/namespaces/${place.ns}/pods/${place.name}/exec`
      : `/kin/v1/hosts/${place.name}/exec`;
  if (place.kind === 'pod') words.set('container', place.containers[0]?.name ?? '');
  return `${base}?${words}`;
}

/** A command in a pod, or in the network of a host. */
export class Exec {
  private socket: WebSocket | null = null;
  private size: [number, number] | null = null;
  private closed = false;

  constructor(
    private readonly place: Place,
    private readonly streams: Streams,
  ) {}

  async open(command = ['sh', '-c', kShell], tty = true) {
    const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
    let socket: WebSocket;
    try {
      socket = await openSocket(pathOf(this.place, command, tty), protocols);
    } catch (error) {
      if (!this.closed) this.streams.onEnd({ why: (error as Error).message });
      return;
    }
    // Whoever asked may have gone while the ticket was on its way: nobody would own the shell.
    if (this.closed) return socket.close();
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    let end: End = { why: 'the connection ended' };
    socket.onopen = () => this.size && this.resize(...this.size);
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      if (this.closed) return;
      const [channel, bytes] = [new Uint8Array(data)[0], new Uint8Array(data, 1)];
      if (channel === kStdout || channel === kStderr) this.streams.onOutput(bytes);
      if (channel === kError) end = endOf(new TextDecoder().decode(bytes));
    };
    socket.onclose = () => this.closed || this.streams.onEnd(end);
  }

  write(text: string) {
    this.send(kStdin, new TextEncoder().encode(text));
  }
  resize(columns: number, rows: number) {
    this.size = [columns, rows];
    this.send(kResize, new TextEncoder().encode(JSON.stringify({ Width: columns, Height: rows })));
  }
  /** Ends the command, also one that has not begun yet. */
  close() {
    this.closed = true;
    this.socket?.close();
  }

  private send(channel: number, bytes: Uint8Array) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const message = new Uint8Array(bytes.length + 1);
    message[0] = channel;
    message.set(bytes, 1);
    this.socket.send(message);
  }
}

/** A Status as exec ends with. */
function endOf(text: string): End {
  interface Status {
    status?: string;
    message?: string;
    details?: { causes?: { reason: string; message: string }[] };
  }
  try {
    const { status, message, details } = JSON.parse(text) as Status;
    if (status === 'Success') return { why: '', code: 0 };
    const code = details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
    return { why: message ?? text, code: code === undefined ? undefined : Number(code) };
  } catch {
    return { why: text };
  }
}

/** What a command in a pod says. */
export function run(pod: Pod, command: string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const out: string[] = [];
    const decoder = new TextDecoder();
    const exec = new Exec(pod, {
      onOutput: (bytes) => out.push(decoder.decode(bytes, { stream: true })),
      onEnd: ({ why }) => (why ? reject(new Error(why)) : resolve(out.join(''))),
    });
    signal.addEventListener('abort', () => {
      exec.close();
      reject(new Error('nobody waits for it any more'));
    });
    void exec.open(command, false);
  });
}
