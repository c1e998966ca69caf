import { request } from '../api';

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
  source?: { component?: string };
  reportingComponent?: string;
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

/** Lists all events, then follows them, as `kubectl get events --watch` does, until `signal` says
 * stop. `show` gets the whole list after each change. */
export async function followEvents(signal: AbortSignal, show: (list: EventObject[]) => void) {
  while (!signal.aborted) {
    try {
      const list = (await (await request('/api/v1/events?limit=2000', { signal })).json()) as {
        metadata: { resourceVersion: string };
        items: EventObject[];
      };
      const known = new Map(list.items.map((item) => [item.metadata.uid, item]));
      show([...known.values()]);
      const from = list.metadata.resourceVersion;
      const watch = await request(`/api/v1/events?watch=true&resourceVersion=${from}`, { signal });
      for await (const { type, object } of lines(watch.body!)) {
        if (type === 'ERROR') break;
        if (type === 'DELETED') known.delete(object.metadata.uid);
        else known.set(object.metadata.uid, object);
        show([...known.values()]);
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
