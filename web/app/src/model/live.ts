import { signal } from '@preact/signals';
import { closed, openSocket } from '../api';
import { World } from './world';

export type Line = 'live' | 'connecting' | 'lost';

/** The lab, and a number that grows with every change of it: what components read to follow it. */
export const world = new World();
export const version = signal(0);
/** The same for counters and drops. */
export const ticks = signal(0);
export const line = signal<Line>('connecting');
/** Since when the line has been lost, in milliseconds of performance.now(). */
export const lostAt = signal(0);

const kShortestWait = 250;
const kLongestWait = 5000;

/** Follows the lab for as long as the page is there, through restarts of the lab. */
export async function follow(): Promise<never> {
  let wait = kShortestWait;
  for (;;) {
    const worked = await once();
    if (worked) wait = kShortestWait;
    if (line.peek() !== 'lost') lostAt.value = performance.now();
    line.value = 'lost';
    // With jitter, so that a class does not come back in the same instant.
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
    wait = Math.min(wait * 1.7, kLongestWait);
    while (closed.peek()) await new Promise((resolve) => setTimeout(resolve, kLongestWait));
  }
}

/** One connection from its beginning to its end; whether anything came through it. */
async function once(): Promise<boolean> {
  let socket: WebSocket;
  try {
    socket = await openSocket('/kin/v1/stream');
  } catch {
    return false;
  }
  return new Promise((resolve) => {
    let heard = false;
    socket.onmessage = (event: MessageEvent<string>) => {
      heard = true;
      const message = JSON.parse(event.data);
      const changed = world.take(message, performance.now());
      // Another kin has another page, whose parts this one would miss. What is loaded then takes
      // the first version that it hears of for its own, so that this ends.
      if (world.outdated) return location.reload();
      if (changed) version.value++;
      else ticks.value++;
      line.value = 'live';
    };
    socket.onclose = () => resolve(heard);
  });
}
