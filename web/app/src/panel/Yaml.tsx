import { getText } from '../api';
import { version } from '../model/live';
import type { Thing } from '../model/things';
import { Command } from '../shell/Command';
import { useAsk } from './ask';
import { kindOf, kubectl, pathOf } from './words';

/** The object as the API has it. */
export function Yaml({ of }: { of: Thing }) {
  const { value, error } = useAsk(
    (signal) => getText(pathOf(of), { signal, headers: { Accept: 'application/yaml' } }),
    [of.id, version.value],
  );
  return (
    <>
      {error && <p class="error">{error}</p>}
      <pre>{value && withoutManagedFields(value)}</pre>
      <Command text={kubectl(of, `get ${kindOf(of).toLowerCase()} ${of.name} -o yaml`)} />
    </>
  );
}

/** kubectl leaves them out too. */
export const withoutManagedFields = (yaml: string) =>
  yaml.replace(/^  managedFields:\n(?:  [- ].*\n)*/m, '');
