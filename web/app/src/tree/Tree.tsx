import { signal, useSignal } from '@preact/signals';
import { Component } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { shorten } from '../map/painter';
import { tellPlaces } from './places';
import { stage } from '../map/Map';
import { version, world } from '../model/live';
import { reach } from '../model/reach';
import { namespace, search, select, selected } from '../state';
import { useKeptFocus } from '../shell/focus';
import { StateMark } from '../shell/marks';
import { rowsOf, type Row } from './rows';

const collapsed = signal<ReadonlySet<string>>(new Set());

function setOpen(id: string, open: boolean) {
  // A search shows all that it finds.
  if (search.value.trim()) return;
  const next = new Set(collapsed.value);
  if (open) next.delete(id);
  else next.add(id);
  collapsed.value = next;
}

/** The lab once more, as a tree: for keys, screen readers and tests; it selects what the map shows. */
export function Tree() {
  version.value;
  const rows = rowsOf(world, {
    ns: namespace.value,
    words: search.value,
    collapsed: collapsed.value,
    reach: reach.value,
  });
  const focused = useSignal<string | null>(null);
  const focus = useRef((id: string) => (focused.value = id)).current;
  const list = useRef<HTMLUListElement>(null);
  useKeptFocus();
  useEffect(() => {
    if (stage) tellPlaces(stage);
  });

  const there = (id: string | null) => rows.some((row) => row.id === id);
  // Where it has gone its neighbour is next.
  const last = useRef(0);
  const current =
    [focused.value, selected.value].find(there) ?? rows[Math.min(last.current, rows.length - 1)]?.id ?? null;
  last.current = Math.max(0, rows.findIndex((row) => row.id === current));

  const go = (row: Row | undefined) => {
    if (!row) return;
    focused.value = row.id;
    if (world.things.has(row.id)) select(row.id);
    list.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(row.id)}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // With Shift arrows move the map.
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const index = rows.findIndex((row) => row.id === current);
    if (index < 0 || !onKey(event.key, rows, index, go)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  if (rows.length === 0 && search.value.trim()) return <Nothing />;
  return (
    <ul
      class="tree"
      role="tree"
      aria-label={`Lab ${world.lab?.lab ?? ''}`}
      ref={list}
      onKeyDown={onKeyDown}
    >
      {rows.map((row) => (
        <Item
          key={row.id}
          row={row}
          stop={row.id === current}
          selected={row.id === selected.value}
          focus={focus}
        />
      ))}
    </ul>
  );
}

/** Instead of a tree without a word. */
function Nothing() {
  const where = namespace.value === null ? 'in this lab' : `in namespace ${namespace.value}`;
  return (
    <div class="nothing">
      <p role="status">
        Nothing {where} matches <code>{search.value.trim()}</code>: no name, address or label
        (<code>app=web</code>).
      </p>
      <button onClick={() => (search.value = '')}>Show everything</button>
    </div>
  );
}

/** What a key does at a row; false if nothing. */
function onKey(key: string, rows: Row[], index: number, go: (row: Row | undefined) => void): boolean {
  const row = rows[index]!;
  switch (key) {
    case 'ArrowDown':
      go(rows[index + 1]);
      return true;
    case 'ArrowUp':
      go(rows[index - 1]);
      return true;
    case 'Home':
      go(rows[0]);
      return true;
    case 'End':
      go(rows.at(-1));
      return true;
    case 'ArrowRight':
      if (row.children > 0 && !row.open) setOpen(row.id, true);
      else if (row.children > 0) go(rows[index + 1]);
      return true;
    case 'ArrowLeft':
      if (row.children > 0 && row.open) setOpen(row.id, false);
      else go(rows.find((one) => one.id === row.parent));
      return true;
    case 'Enter':
    case ' ':
      if (world.things.has(row.id)) {
        select(row.id);
        // Which may only come with it.
        requestAnimationFrame(() => document.querySelector<HTMLElement>('#panel')?.focus());
      } else {
        setOpen(row.id, !row.open);
      }
      return true;
  }
  return false;
}

interface ItemProps {
  row: Row;
  /** Where Tab stops in the tree. */
  stop: boolean;
  selected: boolean;
  focus: (id: string) => void;
}

const sameRow = (a: Row, b: Row) =>
  a.spoken === b.spoken && a.note === b.note && a.state === b.state && a.cut === b.cut &&
  a.title === b.title && a.open === b.open && a.children > 0 === b.children > 0;

/** One line. A thousand of them are there, and most stay as they are when something changes. */
class Item extends Component<ItemProps> {
  override shouldComponentUpdate(next: ItemProps) {
    const now = this.props;
    return !(
      now.stop === next.stop &&
      now.selected === next.selected &&
      sameRow(now.row, next.row)
    );
  }

  override render({ row, stop, selected: chosen, focus }: ItemProps) {
    const parent = row.children > 0;
    return (
      <li
        role="treeitem"
        aria-level={row.level}
        aria-selected={chosen}
        {...(parent ? { 'aria-expanded': row.open } : {})}
        tabIndex={stop ? 0 : -1}
        data-id={row.id}
        class={`level${row.level}`}
        title={row.title}
        onFocus={() => focus(row.id)}
        onClick={() => {
          focus(row.id);
          if (world.things.has(row.id)) select(row.id);
          else setOpen(row.id, !row.open);
        }}
      >
        <span class="hidden">{row.spoken}</span>
        {parent && (
          <i
            class="fold"
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              setOpen(row.id, !row.open);
            }}
          />
        )}
        {row.state && <StateMark state={row.state} />}
        <span class="title" aria-hidden="true">
          {shorten(row.title, row.level === 1 ? 24 : row.state ? 17 : 19)}
        </span>
        {row.cut && (
          <span class="cut" aria-hidden="true" title={row.cut}>
            ✕
          </span>
        )}
        <span class="note" aria-hidden="true">
          {row.note}
        </span>
      </li>
    );
  }
}
