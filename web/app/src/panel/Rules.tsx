import { useSignal } from '@preact/signals';
import { getJson, getText } from '../api';
import { ticks, version, world } from '../model/live';
import { byPlace } from '../model/things';
import type { Pod, Policy, Service } from '../model/things';
import { Command } from '../shell/Command';
import { LinkedLines } from '../shell/Link';
import { useAsk } from './ask';
import { inHost, kinRules } from './words';

interface Line {
  table: string;
  place: string;
  text: string;
}

/** What a node's tables hold about a thing: decoded where kin can say it in words, then the elements
 * as nft lists them. */
export function Rules({ of }: { of: Pod | Service | Policy }) {
  const chosen = useSignal('');
  const nodes = world.of('host').filter((host) => host.role === 'node').sort(byPlace);
  const usual = of.kind === 'pod' ? of.node : (nodes[0]?.name ?? 'node-1');
  const node = nodes.some((one) => one.name === chosen.value) ? chosen.value : usual;
  const { value, error } = useAsk(
    (signal) => getJson<{ lines: Line[] }>(`/kin/v1/elements?node=${node}&${of.kind}=${of.ns}/${of.name}`, { signal }),
    [`${of.id} ${node}`, version.value],
  );
  return (
    <>
      <label class="choice">
        on{' '}
        <select value={node} onChange={(event) => (chosen.value = event.currentTarget.value)}>
          {nodes.map((one) => (
            <option key={one.id}>{one.name}</option>
          ))}
        </select>
      </label>
      {of.kind === 'service' && <Explained service={of} node={node} />}
      <h3>In the kernel</h3>
      {error && <p class="error">{error}</p>}
      {value?.lines.length === 0 && <p>No element or rule of {node} names this {of.kind}.</p>}
      {grouped(value?.lines ?? []).map(([place, lines]) => (
        <section key={place}>
          <h4>{place}</h4>
          <LinkedLines text={lines.map((line) => line.text).join('\n')} />
        </section>
      ))}
      {tables(value?.lines ?? []).map((table) => (
        <Command key={table} text={inHost(node, `nft list table ip ${table}`)} />
      ))}
    </>
  );
}

function Explained({ service, node }: { service: Service; node: string }) {
  const { value, error } = useAsk(
    (signal) =>
      getText(`/kin/v1/rules?namespace=${service.ns}&service=${service.name}&node=${node}`, { signal }),
    [`${service.id} ${node}`, version.value, ticks.value],
  );
  return (
    <>
      <h3>In words</h3>
      {error && <p class="error">{error}</p>}
      {value && <LinkedLines text={value} />}
      <Command text={kinRules(service.name, service.ns, node)} />
    </>
  );
}

function grouped(lines: Line[]): [string, Line[]][] {
  const out = new Map<string, Line[]>();
  for (const line of lines) {
    const place = `table ${line.table}, ${line.place}`;
    out.set(place, [...(out.get(place) ?? []), line]);
  }
  return [...out];
}

const tables = (lines: Line[]) => [...new Set(lines.map((line) => line.table))];
