import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getJson, request } from '../api';

const kClock = 5000;
const kMost = 2000;
const kSoon = 100;

/** What the screen shows of a core/v1 Event. */
export interface EventObject {
  metadata: { uid: string; name: string; namespace: string; resourceVersion: string; creationTimestamp: string };
  type: string;
  reason: string;
  message: string;
  count?: number;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  involvedObject: { kind: string; name: string; namespace?: string };
}

export const timeOf = (event: EventObject) =>
  event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? event.metadata.creationTimestamp;
/** Newest first. */
export const byTime = (a: EventObject, b: EventObject) =>
  Date.parse(timeOf(b)) - Date.parse(timeOf(a)) ||
  Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion);

/** The id of the thing on the map that an event is about, as far as the map has such things. */
export function placeOf({ involvedObject: { kind, name, namespace } }: EventObject): string | null {
  const kinds: Record<string, string> = {
    Pod: 'pod',
    Service: 'service',
    Ingress: 'ingress',
    NetworkPolicy: 'policy',
  };
  if (kind === 'Node') return `host/${name}`;
  return kinds[kind] ? `${kinds[kind]}/${namespace}/${name}` : null;
}

type Change = { type: string; object: EventObject };

/** Which events: of a namespace or of all (''), about one thing or about any (''). */
export interface Scope {
  ns: string;
  selector: string;
}

/** Events as they are now, and a clock for their ages, for as long as a component shows them; null
 * until they are known. */
export function useEvents({ ns, selector }: Scope): { events: Signal<EventObject[] | null>; now: Signal<number> } {
  const events = useSignal<EventObject[] | null>(null);
  const now = useSignal(Date.now());
  useEffect(() => {
    events.value = null;
    const abort = new AbortController();
    const query = selector ? `fieldSelector=${encodeURIComponent(selector)}&` : '';
    const path = `/api/v1${ns ? `/namespaces/${ns}` : ''}/events?${query}`;
    void followEvents(path, abort.signal, (list) => (events.value = list));
    const timer = setInterval(() => (now.value = Date.now()), kClock);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [ns, selector]);
  return { events, now };
}

/** The newest of them, by their ids. */
export const newest = (events: Iterable<EventObject>) =>
  new Map([...events].sort(byTime).slice(0, kMost).map((event) => [event.metadata.uid, event]));

/** Lists events, then follows them, as `kubectl get events --watch` does, until `signal` says stop.
 * `show` gets the newest, newest first, soon after each change: a hundred may come in one piece. */
async function followEvents(path: string, signal: AbortSignal, show: (list: EventObject[]) => void) {
  while (!signal.aborted) {
    try {
      // All of them: pages of a list come in the order of names, so that the newest may be in any.
      const list = await getJson<{ metadata: { resourceVersion: string }; items: EventObject[] }>(path, { signal });
      let known = newest(list.items);
      const tell = () => signal.aborted || show([...known.values()].sort(byTime));
      tell();
      let due = 0;
      const soon = () => {
        due ||= window.setTimeout(() => {
          due = 0;
          tell();
        }, kSoon);
      };
      const from = list.metadata.resourceVersion;
      const watch = await request(`${path}watch=true&resourceVersion=${from}`, { signal });
      for await (const { type, object } of lines(watch.body!)) {
        if (type === 'ERROR') break;
        if (type === 'DELETED') known.delete(object.metadata.uid);
        else known.set(object.metadata.uid, object);
        if (known.size > 2 * kMost) known = newest(known.values());
        soon();
      }
    } catch {
      // The lab is away for a moment, or this screen is left.
    }
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<Change> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const pieces = (rest + value).split('\n');
    rest = pieces.pop()!;
    for (const piece of pieces) if (piece) yield JSON.parse(piece) as Change;
  }
}
