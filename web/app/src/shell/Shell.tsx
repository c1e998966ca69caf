import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { closed } from '../api';
import { MapScreen } from '../map/Map';
import { line, lostAt, ticks, version, world } from '../model/live';
import { kMostDrops } from '../model/world';
import { Panel } from '../panel/Panel';
import { EventsScreen } from '../screens/Events';
import {
  announcement,
  helpShown,
  isDark,
  namespace,
  nextScheme,
  screen,
  search,
  setSingleKeys,
  singleKeys,
  treeShown,
  type Screen,
} from '../state';
import { Drawer } from '../terminal/Drawer';
import { Tree } from '../tree/Tree';
import { Away } from './Away';
import { useKeptFocus } from './focus';
import { kKeys } from './keys';

export function Shell() {
  useKeptFocus();
  if (closed.value) return <Closed />;
  const onMap = screen.value === 'map';
  return (
    <>
      <Top />
      <main class={line.value === 'lost' ? `${screen.value} stale` : screen.value} tabIndex={-1}>
        {onMap && treeShown.value && (
          <nav class="side" aria-label="Things of the lab">
            <Tree />
          </nav>
        )}
        <div class="middle" key="middle">
          {/* Only hidden: things keep their places on it, and it stays where it was moved to. */}
          <MapScreen hidden={!onMap} />
          {!onMap && <EventsScreen />}
          {/* Terminals run on, whatever else is looked at. */}
          <Drawer key="drawer" />
        </div>
        {onMap && <Panel />}
        <Away />
      </main>
      {helpShown.value && <Help />}
      <div class="hidden" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </>
  );
}

function Closed() {
  return (
    <main class="closed">
      <h1>
        Run <code>kin ui{world.lab?.words ?? ''}</code>
      </h1>
      <p>
        This page was opened with a link that is too old, or that belongs to another lab. In a terminal,{' '}
        <code>kin ui{world.lab?.words ?? ''}</code> opens it with a new one.
      </p>
    </main>
  );
}

const screens: { id: Screen; key: string; title: string }[] = [
  { id: 'map', key: '1', title: 'Map' },
  { id: 'events', key: '2', title: 'Events' },
];

function Top() {
  version.value;
  ticks.value;
  return (
    <header class="top">
      <h1 class="brand">kin</h1>
      <span class="lab" title="the lab's name">
        {world.lab?.lab ?? ''}
      </span>
      <nav aria-label="Screens">
        {screens.map(({ id, key, title }) => (
          <button
            key={id}
            aria-current={screen.value === id ? 'page' : undefined}
            aria-keyshortcuts={key}
            onClick={() => (screen.value = id)}
          >
            <kbd aria-hidden="true">{key}</kbd>
            {title}
          </button>
        ))}
      </nav>
      <label class="choice">
        <span class="hidden">Namespace</span>
        <select
          value={namespace.value ?? ''}
          onChange={(event) => (namespace.value = event.currentTarget.value || null)}
        >
          <option value="">all namespaces</option>
          {/* Also one that has gone while it was looked at. */}
          {[...new Set([...world.namespaces(), ...(namespace.value ? [namespace.value] : [])])].sort().map((ns) => (
            <option key={ns} value={ns}>
              {ns}
            </option>
          ))}
        </select>
      </label>
      <input
        id="search"
        type="search"
        placeholder="/ search: name, label, address"
        aria-label="Search"
        value={search.value}
        onInput={(event) => (search.value = event.currentTarget.value)}
      />
      <span class="space" />
      {world.drops.length > 0 && (
        <button class="drops" onClick={() => (screen.value = 'events')}>
          ✕ {world.drops.length === kMostDrops ? `${kMostDrops} or more` : world.drops.length} dropped
        </button>
      )}
      <Status />
      <button onClick={nextScheme} aria-label={isDark.value ? 'Light colours' : 'Dark colours'} aria-keyshortcuts="d">
        {isDark.value ? '☀' : '☾'}
      </button>
      <button onClick={() => (helpShown.value = true)} aria-label="Keys" aria-keyshortcuts="?">
        ?
      </button>
    </header>
  );
}

/** Whether what is shown is what is. */
function Status() {
  const now = useSignal(performance.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const text = useComputed(() => {
    if (line.value === 'live') return 'live';
    if (line.value === 'connecting') return 'connecting';
    return `reconnecting, ${Math.max(0, Math.round((now.value - lostAt.value) / 1000))} s`;
  });
  return (
    <span class={`line ${line.value}`}>
      <i aria-hidden="true" />
      {text.value}
    </span>
  );
}

function Help() {
  const sheet = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = sheet.current!;
    dialog.showModal();
    // A dialog gives the focus back to who had it, but only if it is closed, not if it is taken away.
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={sheet} class="sheet" aria-label="Keys" onClose={() => (helpShown.value = false)}>
      <div class="head">
        <h2>Keys</h2>
        <span class="space" />
        <button onClick={() => (helpShown.value = false)} aria-label="Close">
          ×
        </button>
      </div>
      <dl>
        {kKeys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="choice">
        <input
          type="checkbox"
          checked={singleKeys.value}
          onChange={(event) => setSingleKeys(event.currentTarget.checked)}
        />
        single keys, those without Ctrl, do this
      </label>
      <p class="quiet">
        kin {world.lab?.version}. Built with Preact and xterm.js:{' '}
        <a href="/assets/licences.txt" target="_blank" rel="noreferrer">
          their licences
        </a>
      </p>
    </dialog>
  );
}
