import { getJson } from '../api';
import { version, world } from '../model/live';
import { curlOf, type Published, publishedOf } from '../model/outside';
import type { Ingress, Service } from '../model/things';
import { Command } from '../shell/Command';
import { useAsk } from './ask';
import { Facts } from './Overview';
import { inHost } from './words';

// How things of the cluster are reached from outside of it.

/** The address that an Ingress is served at, and a request that takes its first route. */
export function TryIngress({ ingress }: { ingress: Ingress }) {
  const controller = world.things.get('service/ingress-nginx/ingress-nginx-controller');
  const address = controller?.kind === 'service' ? controller.outside?.[0] : undefined;
  const client = world.of('host').find(({ role }) => role === 'outside');
  if (!address) return null;
  const curl = curlOf(ingress, address);
  return (
    <>
      <h3>From outside</h3>
      <Facts list={[['Address', <code>{address}</code>]]} />
      {curl && client && <Command text={inHost(client.name, curl)} />}
    </>
  );
}

/** Where this machine has a Service's ports, as `kin status` says it. */
export function FromThisMachine({ service }: { service: Service }) {
  const { value } = useAsk(
    (signal) => getJson<{ published: Published[] }>('/kin/v1/status', { signal }),
    [service.id, version.value],
  );
  const list = publishedOf(value?.published ?? [], service);
  return (
    <Facts
      list={[
        [
          'From this machine',
          list.length === 0 ? '' : list.map(({ port, type, host, error }) => (
            <div key={`${type} ${port}`}>
              {host ? <code>{host}</code> : error} for port {port} ({type})
            </div>
          )),
        ],
      ]}
    />
  );
}
