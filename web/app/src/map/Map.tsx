import { effect, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ticks, version, world } from '../model/live';
import { reach } from '../model/reach';
import { isDark, namespace, overlays, select, selected, selectedThing, toggle } from '../state';
import { tellPlaces } from '../tree/places';
import { Drag } from './drag';
import { layout } from './layout';
import { keep, pictureOf } from './picture';
import { kOverlays, type Overlay } from './scene';
import type { Slots } from './slots';
import { Stage } from './stage';
import { dark, light } from './theme';

/** The stage that is shown, for those who look from outside: keys, the tree, tests. */
export let stage: Stage | null = null;

const names: Record<Overlay, string> = {
  wiring: 'Wiring',
  services: 'Services',
  ingress: 'Ingress',
  policy: 'Policy',
};

/** Keeps a stage showing the world. Returns what ends that. */
function follow(on: Stage): () => void {
  // A namespace that is looked at alone is another map: those of before stand where they stood.
  const slots = new Map<string | null, Slots>();
  let shown = namespace.peek();
  const ends = [
    effect(() => {
      version.value;
      const made = layout(
        world.things.values(),
        { ns: namespace.value, reach: reach.value },
        slots.get(namespace.value),
      );
      slots.set(namespace.value, made.slots);
      on.set({ scene: made.scene, changed: world.changed });
      if (shown !== namespace.value) on.fit();
      shown = namespace.value;
      tellPlaces(on);
    }),
    effect(() => {
      ticks.value;
      version.value;
      on.set({ counts: world.counts, counted: world.counted });
    }),
    effect(() => {
      ticks.value;
      for (const drop of world.news) {
        const [from, to] = [world.placeOf(drop.from), world.placeOf(drop.to)];
        if (from && to) on.addDrop({ from, to, port: drop.port }, performance.now());
      }
    }),
    effect(() => on.set({ theme: isDark.value ? dark : light })),
    effect(() => on.set({ overlays: overlays.value })),
    effect(() => {
      const thing = selectedThing.value;
      on.set({ marked: thing?.kind === 'policy' ? thing.pods : [] });
    }),
    effect(() => {
      const id = selected.value;
      on.set({ selected: id });
      // Once the panel is there, which lies over the map where there is little room.
      if (id !== null) requestAnimationFrame(() => on.reveal(id, on.behind('#panel')));
    }),
  ];
  return () => ends.forEach((end) => end());
}

/** Dragging moves, the wheel zooms, a click selects. */
function listen(on: Stage, canvas: HTMLCanvasElement, hover: (id: string | null) => void) {
  const drag = new Drag();
  const place = (event: PointerEvent | WheelEvent) => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  // A second finger would drag the map to and fro.
  canvas.onpointerdown = (event) => {
    if (!event.isPrimary) return;
    drag.down(place(event), event.button);
    if (event.button === 0) canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointermove = (event) => {
    if (!event.isPrimary) return;
    const at = place(event);
    const by = drag.move(at, event.buttons);
    if (!by) hover(on.at(at.x, at.y));
    else if (by.x !== 0 || by.y !== 0) on.pan(by.x, by.y);
  };
  canvas.onpointerup = (event) => {
    if (!event.isPrimary) return;
    const at = place(event);
    if (drag.up(event.button)) select(on.at(at.x, at.y));
  };
  canvas.onpointercancel = () => drag.cancel();
  canvas.onpointerleave = () => hover(null);
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const at = place(event);
      // A pinch comes as a wheel with Ctrl; its steps are small.
      on.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), at.x, at.y);
    },
    { passive: false },
  );
}

/** Calls `then` whenever pixels have another size: on another screen, at another zoom. Returns what ends that. */
function onDensity(then: () => void): () => void {
  const ended = new AbortController();
  const listen = () =>
    matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`).addEventListener(
      'change',
      () => {
        then();
        listen();
      },
      { once: true, signal: ended.signal },
    );
  listen();
  return () => ended.abort();
}

export function MapScreen({ hidden }: { hidden: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const percent = useSignal(100);
  useEffect(() => {
    const on = (stage = new Stage(canvas.current!));
    let idle: ReturnType<typeof setTimeout> | undefined;
    on.onView = () => {
      percent.value = Math.round(on.view.scale * 100);
      clearTimeout(idle);
      idle = setTimeout(() => tellPlaces(on), 60);
    };
    listen(on, canvas.current!, (id) => {
      if (on.shown.hovered !== id) on.set({ hovered: id });
      canvas.current!.style.cursor = id === null ? 'grab' : 'pointer';
    });
    const fill = () => {
      const size = frame.current?.getBoundingClientRect();
      if (size) on.resize(size.width, size.height);
    };
    const watch = new ResizeObserver(fill);
    watch.observe(frame.current!);
    const ends = [follow(on), onDensity(fill), () => watch.disconnect()];
    return () => {
      ends.forEach((end) => end());
      stage = null;
    };
  }, []);
  return (
    <section class="chart" aria-label="Map" hidden={hidden}>
      <div class="frame" ref={frame}>
        <canvas ref={canvas} aria-hidden="true" />
      </div>
      <div class="mapbar" role="toolbar" aria-label="What the map shows">
        {kOverlays.map((overlay) => (
          <button
            key={overlay}
            class={`overlay ${overlay}`}
            aria-pressed={overlays.value.has(overlay)}
            aria-keyshortcuts={names[overlay][0]}
            onClick={() => toggle(overlay)}
          >
            <i aria-hidden="true" />
            <span>
              <u>{names[overlay][0]}</u>
              {names[overlay].slice(1)}
            </span>
          </button>
        ))}
        <span class="space" />
        <button
          title="Keep the map as a picture"
          onClick={() => stage && keep('kin-map.svg', 'image/svg+xml', pictureOf(stage.shown))}
        >
          SVG
        </button>
        <button onClick={() => stage?.zoom(1 / 1.25)} aria-label="Zoom out" aria-keyshortcuts="-">
          −
        </button>
        <output>{percent.value}%</output>
        <button onClick={() => stage?.zoom(1.25)} aria-label="Zoom in" aria-keyshortcuts="+">
          +
        </button>
        <button onClick={() => stage?.fit()} aria-keyshortcuts="0">
          Fit
        </button>
      </div>
    </section>
  );
}
