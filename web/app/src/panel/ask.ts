import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Repeater } from '../model/repeater';

export interface Asked<T> {
  value: T | null;
  error: string;
}

const kShortestWait = 120;

/** What `ask` answers; asked again when one of `keys` has changed. The first key says what it is
 * about: the last answer about the same stays until the next one comes. */
export function useAsk<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
): Asked<T> {
  const about = keys[0];
  const answer = useSignal<Asked<T> & { about: unknown }>({ value: null, error: '', about });
  const latest = useRef(ask);
  latest.current = ask;
  const repeater = useRef<Repeater | null>(null);
  const fresh = useRef(false);
  useEffect(() => {
    fresh.current = true;
    repeater.current = new Repeater(kShortestWait, async (signal) => {
      try {
        answer.value = { value: await latest.current(signal), error: '', about };
      } catch (error) {
        if (!signal.aborted) answer.value = { value: null, error: (error as Error).message, about };
      }
    });
    return () => repeater.current?.end();
  }, [about]);
  useEffect(() => {
    if (!fresh.current) repeater.current?.again();
    fresh.current = false;
  }, keys);
  const { value, error, about: of } = answer.value;
  return of === about ? { value, error } : { value: null, error: '' };
}
