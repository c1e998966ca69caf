import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getText } from '../api';
import type { Pod } from '../model/things';
import { Command } from '../shell/Command';
import { useAsk } from './ask';
import { kubectl, pathOf } from './words';

const kLines = 200;
const kAgain = 2000;

/** The end of what a container has written, as far as it is still there. */
export function Logs({ pod }: { pod: Pod }) {
  const chosen = useSignal('');
  const names = pod.containers.map(({ name }) => name);
  const container = names.includes(chosen.value) ? chosen.value : (names[0] ?? '');
  const turn = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => turn.value++, kAgain);
    return () => clearInterval(timer);
  }, []);
  const query = `container=${encodeURIComponent(container)}&tailLines=${kLines}`;
  const { value, error } = useAsk(
    (signal) => getText(`${pathOf(pod)}/log?${query}`, { signal }),
    [`${pod.id} ${container}`, turn.value],
  );
  const which = names.length > 1 ? ` -c ${container}` : '';
  return (
    <>
      {names.length > 1 && (
        <label class="choice">
          of container{' '}
          <select value={container} onChange={(event) => (chosen.value = event.currentTarget.value)}>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {error && <p class="error">{error}</p>}
      {value === '' && <p>It has written nothing.</p>}
      {value && <pre class="wrap">{value}</pre>}
      <Command text={kubectl(pod, `logs ${pod.name}${which} --tail=${kLines}`)} />
    </>
  );
}
