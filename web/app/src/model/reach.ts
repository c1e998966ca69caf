import { effect, signal } from '@preact/signals';
import { getJson } from '../api';
import { amongRunning, type Reach } from '../map/lines';
import { selected } from '../state';
import { version, world } from './live';
import { Repeater } from './repeater';

/** What policies say of the selected pod; null as long as that is not asked or not known. */
export const reach = signal<Reach | null>(null);

const kShortestWait = 60;

function repeaterFor(id: string, name: string): Repeater {
  const path = `/kin/v1/reach?pod=${encodeURIComponent(name)}`;
  return new Repeater(kShortestWait, async (signal) => {
    try {
      const answer = await getJson<Omit<Reach, 'pod'>>(path, { signal });
      reach.value = amongRunning({ pod: id, ...answer }, world.things);
    } catch {
      // The pod has no address yet, or has gone: the next change tells.
      if (!signal.aborted) reach.value = null;
    }
  });
}

/** Asks again whenever the selected pod or anything that policies depend on has changed. */
export function followReach() {
  let about: string | null = null;
  let repeater: Repeater | null = null;
  effect(() => {
    version.value;
    const id = selected.value;
    const pod = id === null ? undefined : world.things.get(id);
    const wanted = pod?.kind === 'pod' && !pod.hostNetwork && pod.ip ? pod : null;
    if (wanted && wanted.id === about) return repeater?.again();
    repeater?.end();
    reach.value = null;
    about = wanted?.id ?? null;
    repeater = wanted && repeaterFor(wanted.id, `${wanted.ns}/${wanted.name}`);
  });
}
