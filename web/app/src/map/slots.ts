/**
 * Who stands where. A thing keeps its place for as long as it is there; one that comes takes the
 * first place that is free, so that nothing else moves.
 */
export type Slots = ReadonlyMap<string, readonly (string | null)[]>;

/** The places of one group after `ids` (in the order wished) are all that there is. */
export function assign(
  previous: readonly (string | null)[] | undefined,
  ids: readonly string[],
): (string | null)[] {
  const here = new Set(ids);
  const out = (previous ?? []).map((id) => (id !== null && here.has(id) ? id : null));
  const placed = new Set(out);
  let free = 0;
  for (const id of ids) {
    if (placed.has(id)) continue;
    while (free < out.length && out[free] !== null) free++;
    out[free] = id;
  }
  while (out.length > 0 && out.at(-1) === null) out.pop();
  return out;
}
