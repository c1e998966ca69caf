import type { Thing } from '../model/things';
import { Command } from '../shell/Command';
import { timeOf, useEvents } from '../screens/event_feed';
import { age, kindOf, kubectl } from './words';

/** What happened to one thing, newest first. */
export function ThingEvents({ of }: { of: Thing }) {
  const selector = `involvedObject.kind=${kindOf(of)},involvedObject.name=${of.name}`;
  const { events, now } = useEvents({ ns: of.ns, selector });
  const items = events.value ?? [];
  return (
    <>
      {events.value && items.length === 0 && <p>Nothing was told of it lately.</p>}
      <ul class="plain events">
        {items.map((item) => (
          <li key={item.metadata.uid} class={item.type === 'Warning' ? 'warning' : ''}>
            <b>{item.reason}</b>
            <span class="quiet">
              {' '}
              {item.type === 'Warning' ? 'Warning, ' : ''}
              {age(timeOf(item), now.value)} ago{(item.count ?? 1) > 1 ? `, ${item.count} times` : ''}
            </span>
            <div>{item.message}</div>
          </li>
        ))}
      </ul>
      <Command text={kubectl(of, `get events --field-selector ${selector}`)} />
    </>
  );
}
