import { getJson } from '../api';
import { version } from '../model/live';
import { allowed, type PolicySpec, type RuleWords } from '../model/rules';
import type { Policy } from '../model/things';
import { useAsk } from './ask';
import { pathOf } from './words';

/** Whom a policy allows: its rules in words, as the API has them now. */
export function PolicyRules({ policy }: { policy: Policy }) {
  const { value, error } = useAsk(
    (signal) => getJson<{ spec: PolicySpec }>(pathOf(policy), { signal }),
    [policy.id, version.value],
  );
  if (error) return <p class="error">{error}</p>;
  if (!value) return null;
  const ways = { in: allowed(value.spec, 'ingress', policy.ns), out: allowed(value.spec, 'egress', policy.ns) };
  return (
    <>
      {ways.in && <Way title="May come in" nobody="From nobody: no rule allows anything." word="from" rules={ways.in} />}
      {ways.out && <Way title="May go out" nobody="To nobody: no rule allows anything, names in DNS included." word="to" rules={ways.out} />}
      <p class="why">What several policies allow adds up. Answers to what was allowed may always come back.</p>
    </>
  );
}

function Way({ title, nobody, word, rules }: { title: string; nobody: string; word: string; rules: RuleWords[] }) {
  return (
    <>
      <h3>{title}</h3>
      {rules.length === 0 ? (
        <p>{nobody}</p>
      ) : (
        <ul class="plain allows">
          {rules.map(({ peers, ports }, at) => (
            <li key={at}>
              {peers.map((peer, index) => (
                <div key={peer}>
                  {index > 0 ? 'or ' : ''}
                  {word} <b>{peer}</b>
                </div>
              ))}
              <div>
                at <code>{ports}</code>
              </div>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
