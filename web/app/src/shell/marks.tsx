import type { PodState } from '../model/things';

const shapes: Record<PodState, string> = {
  ready: 'M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8z',
  starting: 'M8 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7z',
  failing: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  ending: 'M4 8h8',
  done: 'M4 8l3 3 5-6',
};

/** The shape that the map draws for a pod's state. */
export const StateMark = ({ state }: { state: PodState }) => (
  <svg class={`mark ${state}`} viewBox="0 0 16 16" aria-hidden="true">
    <path d={shapes[state]} />
  </svg>
);
