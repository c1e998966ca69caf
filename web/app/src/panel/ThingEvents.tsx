import { getJson } from '../api';
import { version } from '../model/live';
import type { Thing } from '../model/things';
import { Command } from '../shell/Command';
import { useAsk } from './ask';
import type { EventObject } from '../screens/event_feed';
import { byTime, timeOf } from '../screens/event_feed';
import { age, kindOf, kubectl } from './words';

/** What happened to one thing, newest first. */
export function ThingEvents({ of }: { of: Thing }) {
  const selector = `involvedObject.kind=${kindOf(of)},involvedObject.name=${of.name}`;
  const ns = of.ns ? `/namespaces/${of.ns}` : '';
  const { value, error } = useAsk(
    (signal) =>
      getJson<{ items: EventObject[] }>(
        `/api/v1${ns}/events?fieldSelector=${encodeURIComponent(selector)}`,
        { signal },
      ),
    [of.id, version.value],
  );
  const items = [...(value?.items ?? [])].sort(byTime);
  return (
    <>
      {error && <p class="error">{error}</p>}
      {value && items.length === 0 && <p>Nothing was told of it lately.</p>}
      <ul class="plain events">
        {items.map((item) => (
          <li key={item.metadata.uid} class={item.type === 'Warning' ? 'warning' : ''}>
            <b>{item.reason}</b>
            <span class="quiet">
              {' '}
              {item.type === 'Warning' ? 'Warning, ' : ''}
              {age(timeOf(item))} ago{(item.count ?? 1) > 1 ? `, ${item.count} times` : ''}
            </span>
            <div>{item.message}</div>
          </li>
        ))}
      </ul>
      <Command text={kubectl(of, `get events --field-selector ${selector}`)} />
    </>
  );
}
