import { line, world } from '../model/live';
import { Command } from './Command';

/** Over what was last heard of a lab that does not answer: what has happened, and what to type. A
 * restart takes less than a second, for which shell.css does not bother anybody. */
export function Away() {
  if (line.value !== 'lost') return null;
  const words = world.lab?.words ?? '';
  return (
    <section class="away" aria-label="The lab does not answer">
      <h2>{world.lab ? `Lab ${world.lab.lab}` : 'The lab'} does not answer</h2>
      <p>It was stopped, or it has ended. Behind this is what the page last heard of it. To start it again:</p>
      <Command text={`kin up${words}`} />
      <p class="quiet">
        Then the page goes on by itself. Should the lab have another address by then,{' '}
        <code>kin ui{words}</code> opens it there.
      </p>
    </section>
  );
}
