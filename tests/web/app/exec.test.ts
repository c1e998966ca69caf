import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Exec, run } from '../../../web/app/src/terminal/exec';
import { pod } from './things';

/** What a browser has, as far as a command in a pod needs it. */
class Socket {
  static readonly OPEN = 1;
  static opened: Socket[] = [];
  readyState = Socket.OPEN;
  closed = false;
  onopen = () => {};
  onmessage = (_: { data: ArrayBuffer }) => {};
  onclose = () => {};
  constructor() {
    Socket.opened.push(this);
  }
  send() {}
  close() {
    this.closed = true;
  }
}
let giveTicket: (response: Response) => void;
const kTicket = () => new Response('{"ticket":"t"}');

beforeEach(() => {
  Socket.opened = [];
  Object.assign(globalThis, {
    WebSocket: Socket,
    localStorage: { getItem: () => 'key' },
    location: { href: 'http://127.0.0.1:7070/' },
    fetch: () => new Promise<Response>((resolve) => (giveTicket = resolve)),
  });
});
const kBrowser = { fetch: globalThis.fetch, WebSocket: globalThis.WebSocket };
afterEach(() => Object.assign(globalThis, kBrowser));

function started() {
  const told: string[] = [];
  const exec = new Exec(pod('a/b', 'node-1'), {
    onOutput: (bytes) => told.push(new TextDecoder().decode(bytes)),
    onEnd: ({ why, code }) => told.push(`end: ${why}${code === undefined ? '' : ` (${code})`}`),
  });
  return { exec, told, opened: exec.open() };
}
const message = (channel: string, text: string) => ({
  data: new TextEncoder().encode(channel + text).buffer as ArrayBuffer,
});
const output = (text: string) => message('\x01', text);
const status = (value: object) => message('\x03', JSON.stringify(value));

test('a command tells what it writes and how it ends', async () => {
  const { told, opened } = started();
  giveTicket(kTicket());
  await opened;
  Socket.opened[0]!.onmessage(output('hello'));
  Socket.opened[0]!.onclose();
  assert.deepEqual(told, ['hello', 'end: the connection ended']);
});

test('a command that failed ends with its exit code', async () => {
  const { told, opened } = started();
  giveTicket(kTicket());
  await opened;
  const causes = [{ reason: 'ExitCode', message: '7' }];
  const text = 'command terminated with non-zero exit code';
  Socket.opened[0]!.onmessage(status({ status: 'Failure', message: text, details: { causes } }));
  Socket.opened[0]!.onclose();
  assert.deepEqual(told, [`end: ${text} (7)`]);
});

test('one that ended well has the exit code 0 and no reason', async () => {
  const { told, opened } = started();
  giveTicket(kTicket());
  await opened;
  Socket.opened[0]!.onmessage(status({ status: 'Success' }));
  Socket.opened[0]!.onclose();
  assert.deepEqual(told, ['end:  (0)']);
});

test('one that is closed before its ticket came does not stay', async () => {
  const { exec, told, opened } = started();
  exec.close();
  giveTicket(kTicket());
  await opened;
  assert.ok(Socket.opened.every(({ closed }) => closed));
  assert.deepEqual(told, []);
});

test('after close() nothing is told', async () => {
  const { exec, told, opened } = started();
  giveTicket(kTicket());
  await opened;
  exec.close();
  Socket.opened[0]!.onmessage(output('late'));
  Socket.opened[0]!.onclose();
  assert.deepEqual(told, []);
});

test('a lab that does not answer ends it with the reason', async () => {
  const { told, opened } = started();
  giveTicket(new Response('no such pod', { status: 404 }));
  await opened;
  assert.deepEqual(told, ['end: no such pod']);
});

test('who does not wait any more is not kept waiting', async () => {
  const abort = new AbortController();
  const said = run(pod('a/b', 'node-1'), ['true'], abort.signal);
  abort.abort();
  await assert.rejects(said);
});
