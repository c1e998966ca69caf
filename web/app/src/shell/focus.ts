import { useLayoutEffect } from 'preact/hooks';

/** Where the focus may go when what had it is gone: into the tree; if that is hidden or empty, to
 * the buttons of the terminals, else to the screen. */
export function focusTree() {
  for (const place of ['[role=treeitem][tabindex="0"]', '.drawer [aria-pressed=true]', 'main']) {
    const there = document.querySelector<HTMLElement>(place);
    if (there) return there.focus();
  }
}

const lost = () => document.activeElement === null || document.activeElement === document.body;

/** Sends the focus to where `to` says if the update that a component is about to make takes away
 * what had it: on the page itself no arrow and no Tab would go on from there. */
export function useKeptFocus(to: () => void = focusTree) {
  const had = !lost();
  useLayoutEffect(() => {
    if (had && lost()) to();
  });
}
