import { line } from '../model/live';
import type { Pod } from '../model/things';
import { Command } from '../shell/Command';
import { Linked, LinkedLines } from '../shell/Link';
import { run } from '../terminal/exec';
import { useAsk } from './ask';
import { Facts } from './Overview';
import { inPod } from './words';

/** How a pod finds names: what its resolv.conf says, and what that means. */
export function Dns({ pod }: { pod: Pod }) {
  // Asked again once what may have kept it from answering is over.
  const { value, error } = useAsk(
    (signal) => run(pod, ['cat', '/etc/resolv.conf'], signal),
    [pod.id, pod.ready, pod.restarts, line.value === 'live'],
  );
  if (error) return <p class="error">{error}</p>;
  if (value === null) return null;
  const field = (name: string) =>
    value
      .split('\n')
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(name.length + 1));
  const ndots = /ndots:(\d+)/.exec(field('options').join(' '))?.[1];
  const search = field('search').join(' ').split(' ').filter(Boolean);
  return (
    <>
      <Facts
        list={[
          ['Asks', <Linked text={field('nameserver').join(', ')} />],
          ['Search list', search.map((domain) => <div key={domain}><code>{domain}</code></div>)],
          [
            'ndots',
            ndots && `${ndots}: a name with fewer dots is tried with each of these first`,
          ],
        ]}
      />
      {search[0] && (
        <p>
          So <code>web</code> is asked for as <code>web.{search[0]}</code> first.
        </p>
      )}
      <h3>/etc/resolv.conf</h3>
      <LinkedLines text={value} />
      <Command text={inPod(pod, 'cat /etc/resolv.conf')} />
    </>
  );
}
