import { stage } from '../map/Map';
import type { Overlay } from '../map/scene';
import { shellOf } from '../panel/Panel';
import { helpShown, nextScheme, screen, select, selected, selectedThing, singleKeys, toggle, treeShown } from '../state';
import { focusTree } from './focus';
import { focusTerminal, hasTerminals, openTerminal } from '../terminal/Drawer';

const overlays: Record<string, Overlay> = {
  w: 'wiring',
  s: 'services',
  i: 'ingress',
  p: 'policy',
};

/** What the sheet behind `?` lists. */
export const kKeys: readonly [string, string][] = [
  ['1', 'the map'],
  ['2', 'events'],
  ['/', 'search'],
  ['↑ ↓ ← →', 'in the tree: from thing to thing'],
  ['Enter', 'to the panel of the thing'],
  ['Tab', 'on to the next part of the page'],
  ['x', 'a shell in the selected pod, node or host'],
  ['c', 'back into the terminal'],
  ['Ctrl Shift L', 'out of the terminal; Ctrl Shift Esc, too, where that is no key of the desktop'],
  ['w s i p', 'wiring, Services, Ingress, policies on the map'],
  ['+ − 0', 'nearer, farther, all of the map'],
  ['Shift ↑ ↓ ← →', 'move the map'],
  ['t', 'the tree beside the map'],
  ['d', 'light or dark'],
  ['?', 'this sheet'],
  ['Esc', 'up one level: close what is open'],
];

/** Ahead of whatever has the focus, but not where people type. */
export function listenToKeys() {
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    const typing = target.closest('input, textarea, select, .console') !== null;
    if (event.key === 'Escape' && target.closest('.console') === null) return escape(target);
    if (typing || helpShown.value || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key.length === 1 && !singleKeys.value) return;
    if (act(event)) event.preventDefault();
  });
}

function escape(target: HTMLElement) {
  if (helpShown.value) return void (helpShown.value = false);
  if (target.closest('input')) target.blur();
  else if (selected.value !== null) select(null);
  focusTree();
}

function act(event: KeyboardEvent): boolean {
  const { key } = event;
  if (screen.value === 'map' && actOnMap(event)) return true;
  switch (key) {
    case '1':
      screen.value = 'map';
      return true;
    case '2':
    case '8': // As it was, and as it is once there are more screens.
      screen.value = 'events';
      return true;
    case '/':
      document.querySelector<HTMLElement>('#search')?.focus();
      return true;
    case '?':
      helpShown.value = true;
      return true;
    case 'd':
      nextScheme();
      return true;
    case 'x': {
      const place = shellOf(selectedThing.value);
      if (place) openTerminal(place);
      return place !== null;
    }
    case 'c':
      focusTerminal();
      return hasTerminals();
  }
  return false;
}

/** What means something only where the map is in sight. */
function actOnMap({ key, shiftKey }: KeyboardEvent): boolean {
  if (shiftKey && key.startsWith('Arrow')) {
    const [dx, dy] = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[
      key
    ] as [number, number];
    stage?.pan(dx, dy);
    return true;
  }
  const overlay = overlays[key.toLowerCase()];
  if (overlay) {
    toggle(overlay);
    return true;
  }
  switch (key) {
    case 't':
      treeShown.value = !treeShown.value;
      return true;
    case '+':
    case '=':
      stage?.zoom(1.25);
      return true;
    case '-':
      stage?.zoom(1 / 1.25);
      return true;
    case '0':
      stage?.fit();
      return true;
  }
  return false;
}
