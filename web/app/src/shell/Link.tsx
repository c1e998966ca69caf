import { computed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { version, world } from '../model/live';
import type { Kind } from '../model/things';
import { screen, select } from '../state';

/** A way to a thing; plain text once it is not there any more. */
export function Link({ id, children }: { id: string; children?: ComponentChildren }) {
  const thing = world.things.get(id);
  const text = children ?? (thing ? thing.name : id.slice(id.indexOf('/') + 1));
  if (!thing) return <span>{text}</span>;
  return (
    <a
      href={`#/map?sel=${encodeURI(id)}`}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        screen.value = 'map';
        select(id);
      }}
    >
      {text}
    </a>
  );
}

/** Names of pods, Services and policies ("shop/web", "shop/web:http") and addresses. */
const kWords = /(\d+\.\d+\.\d+\.\d+)|([a-z0-9][a-z0-9.-]*\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)/g;

/** The kernel's or kubectl's words, with ways back to the objects that they name. */
export function Linked({ text }: { text: string }) {
  const byAddress = addresses.peek();
  const out: ComponentChildren[] = [];
  let last = 0;
  for (const match of text.matchAll(kWords)) {
    const [word, address, name] = match;
    const id = address
      ? byAddress.get(address)
      : kindsOf(text.slice(match.index + word.length))
          .map((kind) => `${kind}/${name}`)
          .find((id) => world.things.has(id));
    if (!id) continue;
    out.push(text.slice(last, match.index), <Link id={id}>{word}</Link>);
    last = match.index + word.length;
  }
  out.push(text.slice(last));
  return <>{out}</>;
}

/** Many lines of such words, all of each to be seen: what is too long goes on below, further in. What
 * is lined up in columns for a terminal is not here. */
export const LinkedLines = ({ text }: { text: string }) => (
  <pre class="lines">
    {text
      .trimEnd()
      .split('\n')
      .map((line, at) => (
        <div key={at}>
          <Linked text={line.replace(/(\S) {3,}/g, '$1  ')} />
        </div>
      ))}
  </pre>
);

/** Objects of several kinds may have one name; what follows it says which is meant first. */
function kindsOf(rest: string): Kind[] {
  if (/^ (in|e)gress rule/.test(rest)) return ['policy'];
  return rest.startsWith(':') ? ['service', 'pod', 'policy'] : ['pod', 'service', 'policy'];
}

/** Whose an address is: looked up for every word of every row, and made anew once per version. */
const addresses = computed(() => {
  version.value;
  const out = new Map<string, string>();
  for (const thing of world.things.values()) {
    if (thing.kind === 'pod' && thing.hostNetwork) continue;
    if ('ip' in thing && thing.ip && thing.ip !== 'None') out.set(thing.ip, thing.id);
  }
  return out;
});
