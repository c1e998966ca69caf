import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { focusTree, useKeptFocus } from '../shell/focus';
import { announcement } from '../state';
import type { Place } from './exec';
import type { TerminalScreen } from './screen';

interface Session {
  number: number;
  place: Place;
  ended: boolean;
}

const sessions = signal<readonly Session[]>([]);
const shown = signal<number | null>(null);
let last = 0;

/** Opens a shell in a pod or host; the one that is there already, if it still runs. */
export function openTerminal(place: Place) {
  const running = sessions.value.find((one) => one.place.id === place.id && !one.ended);
  if (running) return show(running.number);
  const session = { number: ++last, place, ended: false };
  sessions.value = [...sessions.value, session];
  shown.value = session.number;
  announcement.value = `terminal in ${place.name}; Ctrl Shift L leaves it`;
}

const screens = new Map<number, TerminalScreen>();
export const focusTerminal = () => {
  if (shown.value !== null) screens.get(shown.value)?.focus();
};
/** Brings a terminal into sight and goes there; one that is hidden takes the focus once it is not. */
function show(number: number) {
  shown.value = number;
  requestAnimationFrame(focusTerminal);
}
export const hasTerminals = () => sessions.value.length > 0;

function close(number: number) {
  const list = sessions.value.filter((one) => one.number !== number);
  sessions.value = list;
  if (shown.value === number) shown.value = list.at(-1)?.number ?? null;
}

/** On to the terminal that is in sight now, if one was closed; but not into it. */
const focusDrawer = () => {
  const next = document.querySelector<HTMLElement>('.drawer [aria-pressed=true]');
  if (next) next.focus();
  else focusTree();
};

/** Terminals below the map, one of them in sight. */
export function Drawer() {
  useKeptFocus(focusDrawer);
  if (sessions.value.length === 0) return null;
  return (
    <section class="drawer" aria-label="Terminals">
      <div class="bar" role="toolbar" aria-label="Terminals">
        {sessions.value.map(({ number, place, ended }) => (
          <span key={number} class="session">
            <button
              aria-pressed={number === shown.value}
              onClick={() => show(number)}
            >
              {place.name}
              {ended ? ' (ended)' : ''}
            </button>
            <button aria-label={`Close the terminal in ${place.name}`} onClick={() => close(number)}>
              ×
            </button>
          </span>
        ))}
        <span class="space" />
        <span class="quiet">Ctrl Shift L leaves the terminal</span>
      </div>
      {sessions.value.map((session) => (
        <Screen key={session.number} session={session} visible={session.number === shown.value} />
      ))}
    </section>
  );
}

function Screen({ session, visible }: { session: Session; visible: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let gone = false;
    const mark = (ended: boolean) => {
      sessions.value = sessions.value.map((one) => (one.number === session.number ? { ...one, ended } : one));
    };
    // Who types `exit` is done with it; what ended otherwise stays, to be read.
    const onEnd = (wanted: boolean) => (wanted ? close(session.number) : mark(true));
    const open = ({ TerminalScreen }: typeof import('./screen')) => {
      if (gone) return;
      const screen = new TerminalScreen(place.current!, session.place, () => mark(false), onEnd, focusTree);
      screens.set(session.number, screen);
      screen.focus();
    };
    // It is loaded with the first terminal: the lab may be away, or have another page by now.
    const onMissing = () => {
      place.current!.textContent = 'This terminal could not be loaded. Is the lab up? Then load the page again.';
      mark(true);
    };
    import('./screen').then(open, () => gone || onMissing());
    return () => {
      gone = true;
      screens.get(session.number)?.dispose();
      screens.delete(session.number);
    };
  }, []);
  return (
    <div
      class="console"
      hidden={!visible}
      ref={place}
      role="group"
      aria-label={`Terminal in ${session.place.name}`}
    />
  );
}
