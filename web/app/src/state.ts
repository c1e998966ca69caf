import { computed, effect, signal } from '@preact/signals';
import type { Overlay } from './map/scene';
import { kOverlays } from './map/scene';
import { version, world } from './model/live';

export type Screen = 'map' | 'events';

export const screen = signal<Screen>('map');
export const selected = signal<string | null>(null);
/** The tab of the panel; what a thing's kind does not have falls back to its first. */
export const tab = signal('overview');
export const namespace = signal<string | null>(null);
export const overlays = signal<ReadonlySet<Overlay>>(new Set(kOverlays));
export const search = signal('');
export const treeShown = signal(true);
export const helpShown = signal(false);
const kSingleKeys = 'kin-single-keys';
/** Single keys do something. Who speaks to the computer, or hits keys by chance, can do without. */
export const singleKeys = signal(localStorage.getItem(kSingleKeys) !== 'off');
export function setSingleKeys(on: boolean) {
  singleKeys.value = on;
  localStorage.setItem(kSingleKeys, on ? 'on' : 'off');
}
/** What the live region says. */
export const announcement = signal('');

export const selectedThing = computed(() => {
  version.value;
  const id = selected.value;
  return id === null ? null : (world.things.get(id) ?? null);
});

export function select(id: string | null) {
  if (id !== null && id !== selected.peek() && world.things.has(id)) tab.value = 'overview';
  selected.value = id === 'fabric' ? null : id;
}

export function toggle(overlay: Overlay) {
  const next = new Set(overlays.value);
  if (!next.delete(overlay)) next.add(overlay);
  overlays.value = next;
}

/** Every view is an address: #/map?ns=shop&sel=pod/shop/web-0&tab=network&off=policy */
export function readHash(hash: string) {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const params = new URLSearchParams(query);
  screen.value = path === 'events' ? 'events' : 'map';
  namespace.value = params.get('ns');
  selected.value = params.get('sel');
  tab.value = params.get('tab') ?? 'overview';
  const off = (params.get('off') ?? '').split(',');
  overlays.value = new Set(kOverlays.filter((overlay) => !off.includes(overlay)));
}

export function writeHash(): string {
  const params: [string, string][] = [];
  if (namespace.value !== null) params.push(['ns', namespace.value]);
  if (selected.value !== null) params.push(['sel', selected.value]);
  if (selected.value !== null && tab.value !== 'overview') params.push(['tab', tab.value]);
  const off = kOverlays.filter((overlay) => !overlays.value.has(overlay));
  if (off.length > 0) params.push(['off', off.join(',')]);
  const query = params.map(([name, value]) => `${name}=${encodeURI(value)}`).join('&');
  return `#/${screen.value}${query ? `?${query}` : ''}`;
}

export function followHash() {
  readHash(location.hash);
  window.addEventListener('hashchange', () => {
    if (location.hash !== writeHash()) readHash(location.hash);
  });
  effect(() => {
    const hash = writeHash();
    if (location.hash !== hash) history.replaceState(null, '', hash);
  });
}

/** Light, dark, or as the desktop has it. */
export type Scheme = 'auto' | 'light' | 'dark';
const kScheme = 'kin-scheme';
export const scheme = signal<Scheme>((localStorage.getItem(kScheme) as Scheme | null) ?? 'auto');
const desktop = matchMedia('(prefers-color-scheme: dark)');
const desktopDark = signal(desktop.matches);
desktop.addEventListener('change', () => (desktopDark.value = desktop.matches));
export const isDark = computed(() =>
  scheme.value === 'auto' ? desktopDark.value : scheme.value === 'dark',
);
effect(() => {
  document.documentElement.dataset.scheme = isDark.value ? 'dark' : 'light';
});
export function nextScheme() {
  scheme.value = isDark.value ? 'light' : 'dark';
  localStorage.setItem(kScheme, scheme.value);
}
