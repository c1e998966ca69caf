import type { ComponentChildren } from 'preact';
import { ticks, version, world } from '../model/live';
import { byPlace, stateOf } from '../model/things';
import type { Host, Ingress, Pod, Policy, Service, Thing } from '../model/things';
import { portOf, type Verdict } from '../map/lines';
import { cniWords, overlayWords } from '../model/ways';
import { reach } from '../model/reach';
import { keyOf, targetsOf, uncounted, whyNowhere, type Target } from '../model/targets';
import { Command } from '../shell/Command';
import { Link } from '../shell/Link';
import { StateMark } from '../shell/marks';
import { FromThisMachine, TryIngress } from './Reaching';
import { PolicyRules } from './PolicyRules';
import { kubectl } from './words';

export function Facts({ list }: { list: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {list
        .filter(([, value]) => value !== '' && value !== undefined && value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

const Labels = ({ labels }: { labels: Record<string, string> }) => (
  <span class="labels">
    {Object.entries(labels).map(([name, value]) => (
      <code key={name}>{value ? `${name}=${value}` : name}</code>
    ))}
  </span>
);

export function Overview({ thing }: { thing: Thing }) {
  version.value;
  ticks.value;
  switch (thing.kind) {
    case 'pod':
      return <PodOverview pod={thing} />;
    case 'service':
      return <ServiceOverview service={thing} />;
    case 'ingress':
      return <IngressOverview ingress={thing} />;
    case 'policy':
      return <PolicyOverview policy={thing} />;
    case 'host':
      return <HostOverview host={thing} />;
  }
}

function PodOverview({ pod }: { pod: Pod }) {
  const services = world
    .of('service')
    .filter((service) => service.endpoints.some((endpoint) => endpoint.pod === pod.id));
  const policies = world.of('policy').filter((policy) => policy.pods.includes(pod.id));
  return (
    <>
      <Facts
        list={[
          [
            'Status',
            <>
              <StateMark state={stateOf(pod)} />
              {pod.status}
              {pod.ready ? ', ready' : ', not ready'}
            </>,
          ],
          ['Waits', pod.waits],
          ['Address', pod.ip && <code>{pod.ip}</code>],
          ['Node', pod.node && <Link id={`host/${pod.node}`} />],
          ['Network', pod.hostNetwork ? "its node's own" : ''],
          ['Owner', pod.owner],
          ['Restarts', pod.restarts ? String(pod.restarts) : ''],
          [
            'Containers',
            pod.containers.map(({ name, image }) => (
              <div key={name}>
                {name} <code>{image}</code>
              </div>
            )),
          ],
          ['Labels', <Labels labels={pod.labels} />],
        ]}
      />
      {services.length > 0 && (
        <>
          <h3>Services that lead here</h3>
          <table>
            <thead>
              <tr>
                <th>Service</th>
                <th>Address</th>
                <th class="number">Connections</th>
              </tr>
            </thead>
            <tbody>
              {services.map((service) => (
                <tr key={service.id}>
                  <td>
                    <Link id={service.id} />
                  </td>
                  <td>
                    {service.ip === 'None' ? 'headless' : <code>{service.ip}</code>}
                  </td>
                  <td class="number">
                    {uncounted(service) ? 'not counted' : (world.counts[service.id]?.[pod.id] ?? 0)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {!pod.hostNetwork && <PodPolicies pod={pod} policies={policies} />}
      <Command text={kubectl(pod, `get pod ${pod.name} -o wide`)} />
    </>
  );
}

function PodPolicies({ pod, policies }: { pod: Pod; policies: Policy[] }) {
  const known = reach.value?.pod === pod.id ? reach.value : null;
  const denied = (list: Record<string, Verdict> = {}) =>
    Object.entries(list).filter(([, verdict]) => !verdict.allowed);
  return (
    <>
      <h3>Network policies</h3>
      {policies.length === 0 ? (
        <p>No policy isolates this pod: only what isolates others can come between it and them.</p>
      ) : (
        <ul class="plain">
          {policies.map((policy) => (
            <li key={policy.id}>
              <Link id={policy.id} />
              {' isolates it for '}
              {[policy.ingress && 'ingress', policy.egress && 'egress'].filter(Boolean).join(', ')}
            </li>
          ))}
        </ul>
      )}
      <Denied title="May not reach" list={denied(known?.to)} />
      <Denied title="May not be reached by" list={denied(known?.from)} />
    </>
  );
}

function Denied({ title, list }: { title: string; list: [string, Verdict][] }) {
  if (list.length === 0) return null;
  const ports = [...new Set(list.map(([, verdict]) => portOf(verdict)))];
  const where = ports.length === 1 ? ports[0] : 'one port each';
  return (
    <details class="denied">
      <summary>
        {title} {list.length} {list.length === 1 ? 'pod' : 'pods'} at {where}
      </summary>
      <p class="why">Asked for is one port of each pod: the first that it has for TCP, else 80.</p>
      <ul class="plain">
        {list.map(([id, verdict]) => (
          <li key={id}>
            <Link id={id}>{id.slice('pod/'.length)}</Link> at {portOf(verdict)}
            <div class="why">{verdict.why}</div>
          </li>
        ))}
      </ul>
    </details>
  );
}

function ServiceOverview({ service }: { service: Service }) {
  const targets = targetsOf(service, world.counts);
  const ports = service.ports.map(
    ({ name, port, protocol, target, nodePort }) =>
      `${name ? `${name}: ` : ''}${port}${nodePort ? ` (node port ${nodePort})` : ''} → ${target} ${protocol}`,
  );
  return (
    <>
      <Facts
        list={[
          ['Type', service.type],
          [
            'Address',
            service.ip === 'None' ? (
              'none: headless, DNS answers with its pods'
            ) : (
              service.ip && <code>{service.ip}</code>
            ),
          ],
          ['From outside', service.outside && <code>{service.outside.join(', ')}</code>],
          ['Leads to name', service.externalName && <code>{service.externalName}</code>],
          ['Ports', ports.map((port) => <div key={port}>{port}</div>)],
          ['Selects', service.selector && <Labels labels={service.selector} />],
          ['Affinity', service.affinity ? `a client stays for ${service.affinity} s` : ''],
        ]}
      />
      {(service.outside || service.ports.some(({ nodePort }) => nodePort)) && <FromThisMachine service={service} />}
      <h3>Endpoints</h3>
      {targets.length === 0 ? <p>{whyNowhere(service)}</p> : <Targets list={targets} />}
      {targets.length > 0 && uncounted(service) && (
        <p class="quiet">Connections are not counted: {uncounted(service)}.</p>
      )}
      <Command text={kubectl(service, `get endpointslices -l kubernetes.io/service-name=${service.name}`)} />
    </>
  );
}

function Targets({ list }: { list: Target[] }) {
  const total = list.reduce((sum, { count }) => sum + (count ?? 0), 0);
  return (
    <table>
      <thead>
        <tr>
          <th>Endpoint</th>
          <th class="number">Connections</th>
          <th>Share</th>
        </tr>
      </thead>
      <tbody>
        {list.map((target) => (
          <tr key={keyOf(target)}>
            <td>
              <StateMark state={target.ready ? 'ready' : 'starting'} />
              {target.pod ? <Link id={target.pod} /> : target.ip}
              {!target.ready && ' (not ready)'}
              <div class="under">
                <code>{target.ip}</code>
              </div>
            </td>
            <td class="number">{target.count ?? 'not counted'}</td>
            <td>{target.count !== null && <Share of={total > 0 ? target.count / total : 0} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Share({ of }: { of: number }) {
  const text = `${Math.round(of * 100)}%`;
  return (
    <>
      <meter min={0} max={1} value={of} aria-label="share of the connections">
        {text}
      </meter>{' '}
      {text}
    </>
  );
}

function IngressOverview({ ingress }: { ingress: Ingress }) {
  return (
    <>
      <Facts
        list={[
          ['Class', ingress.class],
          ['TLS', ingress.tls ? 'yes' : 'no'],
        ]}
      />
      <h3>Routes</h3>
      <table>
        <thead>
          <tr>
            <th>Host</th>
            <th>Path</th>
            <th>Service</th>
          </tr>
        </thead>
        <tbody>
          {ingress.routes.map((route, at) => (
            <tr key={at}>
              <td>{route.host || 'any'}</td>
              <td>
                <code>{route.path || '/'}</code> {route.pathType}
              </td>
              <td>
                <Link id={`service/${ingress.ns}/${route.service}`}>{route.service}</Link>:{route.port}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <TryIngress ingress={ingress} />
      <Command text={kubectl(ingress, `describe ingress ${ingress.name}`)} />
    </>
  );
}

function PolicyOverview({ policy }: { policy: Policy }) {
  const ways = [policy.ingress && 'what comes in', policy.egress && 'what goes out'];
  return (
    <>
      <Facts
        list={[
          ['Isolates for', ways.filter(Boolean).join(' and ')],
          ['Selects', <code>{policy.selector || `every pod of ${policy.ns}`}</code>],
        ]}
      />
      <PolicyRules policy={policy} />
      <h3>Selected pods</h3>
      {policy.pods.length === 0 ? (
        <p>None: this policy does nothing. Does its selector match the labels of a pod?</p>
      ) : (
        <ul class="plain">
          {policy.pods.map((pod) => (
            <li key={pod}>
              <Link id={pod} />
            </li>
          ))}
        </ul>
      )}
      <Command text={kubectl(policy, `describe networkpolicy ${policy.name}`)} />
    </>
  );
}

function HostOverview({ host }: { host: Host }) {
  const pods = world
    .of('pod')
    .filter((pod) => host.role === 'node' && pod.node === host.name)
    .sort(byPlace);
  const what = {
    node: host.control ? 'node, with the control plane' : 'node',
    router: 'joins the nodes and the world outside',
    outside: 'a host outside of the cluster',
  };
  return (
    <>
      <Facts
        list={[
          ['Role', what[host.role]],
          ['Ready', host.role === 'node' ? (host.ready ? 'yes' : 'no') : ''],
          ['Scheduling', host.cordoned ? 'off (cordoned)' : ''],
          ['Address', <code>{host.ip}</code>],
          ['Pod addresses', host.pods && <code>{host.pods}</code>],
          ["Pods' gateway", host.gateway && <code>{host.gateway}</code>],
          ['Pods attached', cniWords(host)],
          ['Between nodes', overlayWords(host)],
        ]}
      />
      {pods.length > 0 && (
        <>
          <h3>Pods</h3>
          <table>
            <thead>
              <tr>
                <th>Pod</th>
                <th>Namespace</th>
                <th>Address</th>
              </tr>
            </thead>
            <tbody>
              {pods.map((pod) => (
                <tr key={pod.id}>
                  <td>
                    <StateMark state={stateOf(pod)} />
                    <Link id={pod.id} />
                  </td>
                  <td>{pod.ns}</td>
                  <td>
                    <code>{pod.ip}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}
