import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

export interface Asked<T> {
  value: T | null;
  error: string;
}

/** What `ask` answers, asked again whenever one of `keys` changes; the last answer to the same first
 * key stays until the next one comes. */
export function useAsk<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
): Asked<T> {
  const answer = useSignal<Asked<T> & { of: unknown }>({ value: null, error: '', of: keys[0] });
  useEffect(() => {
    const abort = new AbortController();
    ask(abort.signal)
      .then((value) => (answer.value = { value, error: '', of: keys[0] }))
      .catch((error: Error) => {
        if (!abort.signal.aborted)
          answer.value = { value: null, error: error.message, of: keys[0] };
      });
    return () => abort.abort();
  }, keys);
  const { value, error, of } = answer.value;
  return of === keys[0] ? { value, error } : { value: null, error: '' };
}
