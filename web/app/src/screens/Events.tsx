import { useComputed, useSignal } from '@preact/signals';
import { ticks, version, world } from '../model/live';
import { age } from '../panel/words';
import { Link, Linked } from '../shell/Link';
import { namespace, search } from '../state';
import { placeOf, timeOf, useEvents } from './event_feed';
import type { EventObject } from './event_feed';

/** What a row shows, whether it is an Event or a packet that a policy dropped. */
interface Row {
  key: string;
  time: string;
  /** The same in milliseconds. */
  at: number;
  warning: boolean;
  what: string;
  id: string | null;
  about: string;
  text: string;
  count: number;
  ns: string;
}

const kMostRows = 500;

/** Everything that happened, newest first: the cluster's Events and dropped packets. */
export function EventsScreen() {
  const { events, now } = useEvents({ ns: '', selector: '' });
  const warnings = useSignal(false);
  const told = useComputed(() => (events.value ?? []).map(eventRow));
  const rows = useComputed(() => {
    ticks.value;
    version.value;
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = [...told.value, ...world.drops.map(dropRow)];
    return all
      .filter((row) => namespace.value === null || row.ns === namespace.value)
      .filter((row) => !warnings.value || row.warning)
      .filter((row) => {
        const text = `${row.what} ${row.about} ${row.text}`.toLowerCase();
        return words.every((word) => text.includes(word));
      })
      .sort((a, b) => b.at - a.at)
      .slice(0, kMostRows);
  });
  return (
    <section class="screen" aria-label="Events">
      <div class="bar">
        <h2>Events</h2>
        <span class="quiet">{rows.value.length} shown, newest first</span>
        <span class="space" />
        <button
          aria-pressed={warnings.value}
          onClick={() => (warnings.value = !warnings.value)}
        >
          Warnings only
        </button>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="List of events">
        <table class="wide">
          <thead>
            <tr>
              <th>Age</th>
              <th>What</th>
              <th>About</th>
              <th>In words</th>
              <th class="number">Times</th>
            </tr>
          </thead>
          <tbody>
            {rows.value.map((row) => (
              <tr key={row.key} class={row.warning ? 'warning' : ''}>
                <td class="quiet">{age(row.time, now.value)}</td>
                <td>
                  <b>{row.warning ? '⚠ ' : ''}{row.what}</b>
                </td>
                <td>{row.id ? <Link id={row.id}>{row.about}</Link> : row.about}</td>
                <td><Linked text={row.text} /></td>
                <td class="number">{row.count}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.value.length === 0 && <p class="empty">Nothing that fits has happened.</p>}
      </div>
    </section>
  );
}

function eventRow(event: EventObject): Row {
  const { kind, name, namespace: ns } = event.involvedObject;
  return {
    key: event.metadata.uid,
    time: timeOf(event),
    at: Date.parse(timeOf(event)),
    warning: event.type === 'Warning',
    what: event.reason,
    id: placeOf(event),
    about: `${kind} ${ns ? `${ns}/` : ''}${name}`,
    text: event.message,
    count: event.count ?? 1,
    ns: ns ?? '',
  };
}

function dropRow(drop: (typeof world.drops)[number]): Row {
  const place = world.placeOf(drop.direction === 'egress' ? drop.from : drop.to);
  return {
    key: `drop-${drop.number}`,
    time: drop.time,
    at: Date.parse(drop.time),
    warning: true,
    what: 'Dropped',
    id: place,
    about: `${drop.from} → ${drop.to}`,
    text: `${drop.protocol} ${drop.port} on ${drop.node}: ${drop.why}`,
    count: drop.packets,
    ns: place?.split('/')[1] ?? '',
  };
}
