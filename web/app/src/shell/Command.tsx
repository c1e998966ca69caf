import { useSignal } from '@preact/signals';
import { announcement } from '../state';

/** A command line that shows in a terminal what is shown here, to be taken along. */
export function Command({ text }: { text: string }) {
  const copied = useSignal(false);
  const copy = () =>
    navigator.clipboard.writeText(text).then(() => {
      copied.value = true;
      announcement.value = 'copied';
      setTimeout(() => (copied.value = false), 1500);
    });
  return (
    <p class="command">
      <code>{text}</code>
      <button onClick={copy} aria-label={`Copy: ${text}`}>
        {copied.value ? 'copied' : 'copy'}
      </button>
    </p>
  );
}
