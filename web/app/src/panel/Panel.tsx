import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Thing } from '../model/things';
import { select, selectedThing, tab } from '../state';
import { focusTree, useKeptFocus } from '../shell/focus';
import { openTerminal } from '../terminal/Drawer';
import { Dns } from './Dns';
import { ThingEvents } from './ThingEvents';
import { Logs } from './Logs';
import { Network } from './Network';
import { NodeRules } from './NodeRules';
import { Overview } from './Overview';
import { Rules } from './Rules';
import { nounOf } from './words';
import { Yaml } from './Yaml';

interface Tab {
  id: string;
  title: string;
  show: (thing: Thing) => ComponentChildren;
}

/** The tabs that say something of such a thing. */
function tabsOf(thing: Thing): Tab[] {
  const overview = { id: 'overview', title: 'Overview', show: () => <Overview thing={thing} /> };
  const events = { id: 'events', title: 'Events', show: () => <ThingEvents of={thing} /> };
  const yaml = { id: 'yaml', title: 'YAML', show: () => <Yaml of={thing} /> };
  switch (thing.kind) {
    case 'pod': {
      const logs = { id: 'logs', title: 'Logs', show: () => <Logs pod={thing} /> };
      if (thing.hostNetwork) return [overview, logs, events, yaml];
      const network = { id: 'network', title: 'Network', show: () => <Network of={thing} /> };
      const rules = { id: 'rules', title: 'Rules', show: () => <Rules of={thing} /> };
      const dns = { id: 'dns', title: 'DNS', show: () => <Dns pod={thing} /> };
      return [overview, network, rules, ...(runsPrograms(thing) ? [dns] : []), logs, events, yaml];
    }
    case 'service':
    case 'policy': {
      const rules = { id: 'rules', title: 'Rules', show: () => <Rules of={thing} /> };
      return [overview, rules, events, yaml];
    }
    case 'ingress':
      return [overview, events, yaml];
    case 'host': {
      const network = { id: 'network', title: 'Network', show: () => <Network of={thing} /> };
      if (thing.role !== 'node') return [overview, network];
      const rules = { id: 'rules', title: 'Rules', show: () => <NodeRules of={thing} /> };
      return [overview, network, rules, events, yaml];
    }
  }
}

/** Parts of kin that are pods have no programs inside. */
function runsPrograms(thing: Thing): boolean {
  if (thing.kind === 'host') return true;
  if (thing.kind !== 'pod' || thing.phase !== 'Running') return false;
  const parts = /^(registry\.k8s\.io\/(kube-proxy|coredns\/coredns|ingress-nginx\/controller)|kin\/network)\b/;
  return !thing.containers.some(({ image }) => parts.test(image));
}

export const shellOf = (thing: Thing | null) =>
  thing && (thing.kind === 'pod' || thing.kind === 'host') && runsPrograms(thing) ? thing : null;

/** A link in the panel that leads to another thing goes with what it was about. */
const focusPanel = () => {
  const panel = document.querySelector<HTMLElement>('#panel');
  if (panel) panel.focus();
  else focusTree();
};

export function Panel() {
  const thing = selectedThing.value;
  useKeptFocus(focusPanel);
  if (!thing) return null;
  const tabs = tabsOf(thing);
  const current = tabs.find(({ id }) => id === tab.value) ?? tabs[0]!;
  const shell = shellOf(thing);
  return (
    <aside id="panel" class="panel" tabIndex={-1} aria-label={`${nounOf(thing)} ${thing.name}`}>
      <header>
        <div>
          <span class="noun">
            {nounOf(thing)}
            {thing.ns && ` in ${thing.ns}`}
          </span>
          <h2>{thing.name}</h2>
        </div>
        <span class="space" />
        {shell && (
          <button class="primary" aria-keyshortcuts="x" onClick={() => openTerminal(shell)}>
            Shell
          </button>
        )}
        <button aria-label="Close" aria-keyshortcuts="Escape" onClick={() => select(null)}>
          ×
        </button>
      </header>
      <Tabs tabs={tabs} current={current} />
      {/* Another one for each thing and tab, so that each begins at its top. */}
      <div
        key={`${thing.id} ${current.id}`}
        class="scroll"
        role="tabpanel"
        id="tabpanel"
        aria-labelledby={`tab-${current.id}`}
        tabIndex={0}
      >
        {current.show(thing)}
      </div>
    </aside>
  );
}

function Tabs({ tabs, current }: { tabs: Tab[]; current: Tab }) {
  const list = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current) list.current?.querySelector<HTMLElement>('[aria-selected=true]')?.focus();
    moved.current = false;
  }, [current.id]);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    moved.current = true;
    const index = tabs.findIndex(({ id }) => id === current.id);
    tab.value = tabs[(index + step + tabs.length) % tabs.length]!.id;
  };
  return (
    <div class="tabs" role="tablist" ref={list} onKeyDown={onKeyDown}>
      {tabs.map(({ id, title }) => (
        <button
          key={id}
          role="tab"
          id={`tab-${id}`}
          aria-selected={id === current.id}
          aria-controls="tabpanel"
          tabIndex={id === current.id ? 0 : -1}
          onClick={() => (tab.value = id)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
