import { effect, signal } from '@preact/signals';
import { getJson } from '../api';
import type { Reach } from '../map/lines';
import { overlays, selected } from '../state';
import { version, world } from './live';

/** What policies say of the selected pod; null as long as that is not asked or not known. */
export const reach = signal<Reach | null>(null);

const kWait = 60;

/** Asks again whenever the selected pod or anything that policies depend on has changed. */
export function followReach() {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  effect(() => {
    version.value;
    const id = selected.value;
    const pod = id === null ? undefined : world.things.get(id);
    const wanted = pod?.kind === 'pod' && !pod.hostNetwork && pod.ip && overlays.value.has('policy');
    clearTimeout(timer);
    const number = ++asked;
    if (!wanted) {
      reach.value = null;
      return;
    }
    if (reach.peek()?.pod !== id) reach.value = null;
    timer = setTimeout(() => {
      getJson<Omit<Reach, 'pod'>>(`/kin/v1/reach?pod=${encodeURIComponent(`${pod.ns}/${pod.name}`)}`)
        .then((answer) => {
          if (number === asked) reach.value = { pod: pod.id, ...answer };
        })
        .catch(() => {
          if (number === asked) reach.value = null;
        });
    }, kWait);
  });
}
