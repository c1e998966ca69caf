import { getJson } from '../api';
import { version } from '../model/live';
import type { Host } from '../model/things';
import { Command } from '../shell/Command';
import { useAsk } from './ask';
import { inHost } from './words';

interface Part {
  kind: 'map' | 'set' | 'chain';
  name: string;
  /** Elements, or a chain's rules. */
  count: number;
}
interface Table {
  table: string;
  parts: Part[];
}

const kAbout: Record<string, string> = {
  'kube-proxy': 'Services: which address leads to which pods.',
  'kin-policy': 'NetworkPolicies: who may reach whom.',
};

/** How much a node's tables hold in all, and how to see it: what is about one thing is in that one's
 * own tab. */
export function NodeRules({ of }: { of: Host }) {
  const { value, error } = useAsk(
    (signal) => getJson<{ tables: Table[] }>(`/kin/v1/elements?node=${of.name}`, { signal }),
    [of.id, version.value],
  );
  if (error) return <p class="error">{error}</p>;
  return (
    <>
      {value?.tables.map(({ table, parts }) => <TableOf key={table} name={table} parts={parts} node={of.name} />)}
      <h3>table ip kin-network</h3>
      <p>What pods send to the world outside leaves under the node's address.</p>
      <Command text={inHost(of.name, 'nft list table ip kin-network')} />
      <p class="why">The tab Rules of a pod, Service or policy shows the elements and rules that are about it.</p>
    </>
  );
}

function TableOf({ name, parts, node }: { name: string; parts: Part[]; node: string }) {
  const chains = parts.filter(({ kind }) => kind === 'chain');
  const rules = chains.reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      <h3>table ip {name}</h3>
      <p>{kAbout[name]}</p>
      <table>
        <thead>
          <tr>
            <th>Part</th>
            <th class="number">Holds</th>
          </tr>
        </thead>
        <tbody>
          {parts
            .filter(({ kind }) => kind !== 'chain')
            .map(({ kind, name: part, count }) => (
              <tr key={part}>
                <td>
                  {kind} <code>{part}</code>
                </td>
                <td class="number">{count} {count === 1 ? 'element' : 'elements'}</td>
              </tr>
            ))}
          <tr>
            <td>
              {chains.length} {chains.length === 1 ? 'chain' : 'chains'}
            </td>
            <td class="number">{rules} {rules === 1 ? 'rule' : 'rules'}</td>
          </tr>
        </tbody>
      </table>
      <Command text={inHost(node, `nft list table ip ${name}`)} />
    </>
  );
}
