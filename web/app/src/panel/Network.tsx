import { getJson } from '../api';
import { version } from '../model/live';
import type { Host, Pod } from '../model/things';
import { Command } from '../shell/Command';
import { Linked, LinkedLines } from '../shell/Link';
import { useAsk } from './ask';
import { inHost, inPod } from './words';

interface Link {
  name: string;
  index: number;
  kind: string;
  mac: string;
  mtu: number;
  up: boolean;
  bridge?: string;
  addresses?: string[];
}
interface Answer {
  links: Link[];
  routes: string[];
  neighbours: string[];
  node?: { name: string; link: string };
}

/** Links, addresses, routes and neighbours of a pod or host, as its kernel has them now: they change
 * with others, too. A node has a route for each of its pods. */
export function Network({ of }: { of: Host | Pod }) {
  const query = of.kind === 'host' ? `host=${of.name}` : `pod=${of.ns}/${of.name}`;
  const { value, error } = useAsk(
    (signal) => getJson<Answer>(`/kin/v1/network?${query}`, { signal }),
    [query, version.value],
  );
  if (error) return <p class="error">{error}</p>;
  if (!value) return null;
  const command = (what: string) =>
    of.kind === 'host' ? inHost(of.name, what) : inPod(of, what);
  return (
    <>
      <h3>Links and addresses</h3>
      <table>
        <thead>
          <tr>
            <th>Link</th>
            <th>Address</th>
            <th>MAC, MTU</th>
          </tr>
        </thead>
        <tbody>
          {value.links.map((link) => (
            <tr key={link.index}>
              <td>
                <b>{link.name}</b> {link.kind}
                {!link.up && ' (down)'}
                {link.bridge && ` on ${link.bridge}`}
                {of.kind === 'pod' && link.kind === 'veth' && value.node && (
                  <div class="quiet">
                    ↔ {value.node.link} on <Linked text={value.node.name} />
                  </div>
                )}
              </td>
              <td>
                {(link.addresses ?? []).map((address) => (
                  <code key={address}>{address} </code>
                ))}
              </td>
              <td class="quiet">
                {link.mac === '00:00:00:00:00:00' ? '' : link.mac} {link.mtu}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Command text={command('ip address')} />
      <h3>Routes</h3>
      <LinkedLines text={value.routes.join('\n')} />
      <Command text={command('ip route')} />
      {value.neighbours.length > 0 && (
        <>
          <h3>Neighbours</h3>
          <LinkedLines text={value.neighbours.join('\n')} />
          <Command text={command('ip neigh')} />
        </>
      )}
    </>
  );
}
