import { effect } from '@preact/signals';
import { announcement } from '../state';
import { line, ticks, world } from './live';

/** Says aloud what those who look at the map see at once. */
export function announce() {
  let before = line.peek();
  effect(() => {
    ticks.value;
    const drop = world.news.at(-1);
    if (drop)
      announcement.value = `drop: ${drop.from} to ${drop.to} port ${drop.port}: ${drop.why}`;
  });
  effect(() => {
    if (line.value === before) return;
    before = line.value;
    announcement.value = line.value === 'live' ? 'the page is live' : 'the lab does not answer';
  });
}
